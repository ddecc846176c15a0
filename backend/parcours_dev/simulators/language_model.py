"""The simulated model: writes what a schema wants, in words that fit a journey."""

import json
from collections.abc import Mapping
from hashlib import sha256

from parcours_dev.simulators.brief_words import BriefWords, read_journey
from parcours_dev.simulators.faults import Fault
from parcours_dev.simulators.openai_answers import CHARACTERS_A_TOKEN, Written
from parcours_dev.simulators.openai_requests import RequestModel
from parcours_dev.simulators.strict_schemas import Path, ValueGenerator

REASONING_TOKENS = 900
PROMPT_NAMES = ("prompt", "style")
TITLE_NAMES = ("title", "name")
LENGTH_NAMES = ("second", "duration")


def write(asked: RequestModel, hit: Mapping[str, Fault]) -> Written:
    """An answer that fulfils the schema and makes sense, unless a fault spoils it."""
    thought = REASONING_TOKENS if asked.reasons else 0
    text = _compose(asked)
    if "invalid_json" in hit:
        text = f"Voici votre parcours : {text[1:-1]}"
    if "violated_schema" in hit:
        text = json.dumps({"parcours": "sans les champs attendus"})
    tokens = len(text) // CHARACTERS_A_TOKEN + 1
    if "refusal" in hit:
        return Written("", 12, thought, refusal=hit["refusal"].text("message"))
    if "content_filter" in hit:
        return Written("", 0, thought, finish="content_filter")
    room = None if asked.tokens_max is None else max(0, asked.tokens_max - thought)
    if "cut_off" in hit:
        room = int(tokens * hit["cut_off"].number("share"))
    if room is not None and room < tokens:
        return Written(text[: room * CHARACTERS_A_TOKEN], room, thought, finish="length")
    return Written(text, tokens, thought)


def _compose(asked: RequestModel) -> str:
    seed = sha256(asked.words.encode()).hexdigest()
    words = BriefWords(read_journey(asked.words, seed), seed)
    if asked.schema is None:
        return words.text()

    def say(path: Path) -> str:
        name, place = _field(path), _place(path)
        if any(part in name for part in PROMPT_NAMES):
            return words.prompt(place or 0)
        if any(part in name for part in TITLE_NAMES):
            return words.title() if place is None else words.segment_title(place)
        return words.english_text() if name == "en" else words.text()

    def count(path: Path) -> float | None:
        name, place = _field(path), _place(path)
        if "segment" in name:
            return words.journey.segments
        if any(part in name for part in LENGTH_NAMES):
            return words.journey.seconds if place is None else words.seconds(place)
        return None

    return json.dumps(ValueGenerator(asked.schema, say, count).write(), ensure_ascii=False)


def _field(path: Path) -> str:
    """The nearest name above a value."""
    return next((part.lower() for part in reversed(path) if isinstance(part, str)), "")


def _place(path: Path) -> int | None:
    """Which item of a list a value belongs to."""
    return next((part for part in reversed(path) if isinstance(part, int)), None)
