"""From what the language model wrote to what a listener may see."""

import json
import math
from typing import Any

import pytest
from pydantic import ValidationError

from parcours_xl.domain.brief import (
    PROMPT_CHARS_MAX,
    TEXT_CHARS_MAX,
    TITLE_CHARS_MAX,
    Brief,
    SegmentPlan,
    UnfitBrief,
    WrittenBrief,
    curated_brief,
    fit_brief,
)
from parcours_xl.domain.presets import Preset, all_presets, find_preset

PRESET = find_preset("panique-anxiete")
PROMPT = "Instrumental handpan at 64 BPM in E dorian, 6/8, no vocals, slowly thinning out."


def written(**change: Any) -> WrittenBrief:
    """A fit brief of four segments, with some parts replaced."""
    parts: dict[str, Any] = {
        "title": "Une rive sous les pas",
        "text": {
            "fr": "Sentez vos pieds au sol. Regardez autour de vous. Écoutez, simplement.",
            "en": "Feel your feet on the floor. Look around you. Just listen.",
        },
        "segments": [
            {"title": f"Pas {number}", "prompt": PROMPT, "seconds": 300} for number in range(4)
        ],
    }
    return WrittenBrief.model_validate(parts | change)


def saying(**change: str) -> WrittenBrief:
    """The fit brief with its text replaced in some languages."""
    return written(text=written().text.model_dump() | change)


def with_first_segment(**change: Any) -> WrittenBrief:
    """The fit brief with some parts of its first segment replaced."""
    brief = written().model_dump()
    brief["segments"][0] |= change
    return WrittenBrief.model_validate(brief)


def test_a_fit_brief_is_kept_word_for_word() -> None:
    brief = fit_brief(written(), PRESET)

    assert brief.title == "Une rive sous les pas"
    assert brief.text.fr.startswith("Sentez vos pieds au sol.")
    assert brief.text.en.startswith("Feel your feet on the floor.")
    assert brief.segments == tuple(SegmentPlan(f"Pas {n}", PROMPT, 300) for n in range(4))


def test_blanks_are_tidied() -> None:
    text = {"fr": "Sentez  vos\n\npieds. ", "en": " Feel\nyour  feet."}
    brief = fit_brief(written(title="  Une rive\n", text=text), PRESET)

    assert brief.title == "Une rive"
    assert (brief.text.fr, brief.text.en) == ("Sentez vos pieds.", "Feel your feet.")


@pytest.mark.parametrize("asked", [0, -1, 90, 1e12, math.nan, math.inf])
def test_durations_are_fitted_to_the_preset_not_trusted(asked: float) -> None:
    brief = fit_brief(with_first_segment(seconds=asked), PRESET)

    assert sum(plan.planned_seconds for plan in brief.segments) == 1200
    assert all(240 <= plan.planned_seconds <= 360 for plan in brief.segments)


def test_three_segments_make_the_shortest_journey() -> None:
    three = fit_brief(written(segments=written().model_dump()["segments"][:3]), PRESET)

    assert [plan.planned_seconds for plan in three.segments] == [360, 360, 360]


@pytest.mark.parametrize(
    ("brief", "complaint"),
    [
        (written(title=" "), "title: empty"),
        (written(title="x" * (TITLE_CHARS_MAX + 1)), "title: over 80 characters"),
        (saying(fr=""), "text.fr: empty"),
        (saying(en=""), "text.en: empty"),
        (saying(fr="x" * (TEXT_CHARS_MAX + 1)), "text.fr: over 1200 characters"),
        (saying(en="x" * (TEXT_CHARS_MAX + 1)), "text.en: over 1200 characters"),
        (saying(fr="Retenez votre souffle."), "text.fr: breath-holding"),
        (saying(en="Hold your breath for a moment."), "text.en: breath-holding"),
        (written(title="Hypnose"), "title: hypnosis"),
        (with_first_segment(title=""), "segment title: empty"),
        (with_first_segment(title="Affronter la peur"), "segment title: exposure"),
        (with_first_segment(prompt=""), "prompt: not 40 to 2000 characters"),
        (with_first_segment(prompt="a " * PROMPT_CHARS_MAX), "prompt: not 40 to 2000 characters"),
        (with_first_segment(prompt=PROMPT + " Female vocals enter."), "prompt: asks for a voice"),
        (with_first_segment(prompt=PROMPT + " Lyrics about hope."), "prompt: asks for a voice"),
    ],
)
def test_an_unfit_brief_is_refused_by_part_and_rule(brief: WrittenBrief, complaint: str) -> None:
    with pytest.raises(UnfitBrief) as refusal:
        fit_brief(brief, PRESET)

    assert str(refusal.value) == complaint


@pytest.mark.parametrize("count", [0, 2, 5])
def test_a_brief_has_three_or_four_segments(count: int) -> None:
    with pytest.raises(ValidationError):
        written(segments=[{"title": "Pas", "prompt": PROMPT, "seconds": 300}] * count)


def test_the_schema_keeps_to_strict_structured_outputs() -> None:
    schema = WrittenBrief.model_json_schema()
    text = json.dumps(schema)

    assert schema["type"] == "object"
    assert schema["properties"]["segments"]["minItems"] == 3
    assert schema["properties"]["segments"]["maxItems"] == 4
    assert not any(word in text for word in ("default", "minLength", "maxLength", "anyOf", "allOf"))
    for part in (schema, *schema["$defs"].values()):
        assert part["required"] == list(part["properties"])
        assert part["additionalProperties"] is False


@pytest.mark.parametrize("preset", all_presets(), ids=lambda preset: preset.key)
def test_the_curated_brief_would_itself_pass_as_written(preset: Preset) -> None:
    curated = curated_brief(preset)

    assert fit_brief(_rewritten(curated), preset) == curated


def test_the_curated_brief_has_french_titles_and_its_text_in_both_languages() -> None:
    brief = curated_brief(PRESET)

    assert brief.title == PRESET.brief.title.fr
    assert brief.segments[0].title == PRESET.segments[0].title.fr
    assert brief.text == PRESET.brief.text


def _rewritten(brief: Brief) -> WrittenBrief:
    return WrittenBrief.model_validate(
        {
            "title": brief.title,
            "text": brief.text.model_dump(),
            "segments": [
                {"title": plan.title, "prompt": plan.prompt, "seconds": plan.planned_seconds}
                for plan in brief.segments
            ],
        }
    )


FIRST = curated_brief(PRESET).segments[0]


def test_a_given_first_piece_stands_as_it_is() -> None:
    brief = fit_brief(with_first_segment(prompt="another", seconds=250), PRESET, first=FIRST)

    assert brief.segments[0] == FIRST
    assert [plan.title for plan in brief.segments[1:]] == ["Pas 1", "Pas 2", "Pas 3"]
    assert sum(plan.planned_seconds for plan in brief.segments) == 1200


def test_too_few_pieces_after_a_given_first_one_are_unfit() -> None:
    three = written(segments=written().model_dump()["segments"][:3])

    with pytest.raises(UnfitBrief, match="make no journey"):
        fit_brief(three, PRESET, first=FIRST)
