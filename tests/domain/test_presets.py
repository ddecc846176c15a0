"""The twenty presets, against the figures of their source (docs/specification.md#presets)."""

import re
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from parcours_xl.domain.bilingual import Bilingual
from parcours_xl.domain.groups import GROUP_NAMES, Group
from parcours_xl.domain.preset import sentences
from parcours_xl.domain.presets import Preset, UnknownPreset, all_presets, find_preset
from parcours_xl.domain.wording import find_forbidden

# key: minutes, tempo from and to, modes, meter where one is given, some of the instruments
FACTS: dict[str, tuple[tuple[int, int], tuple[int, int], str, str | None, str]] = {
    "00-universel-reset": ((20, 20), (68, 68), "dorian", "6/8", "felt piano, handpan, warm pads"),
    "01-panique-anxiete": ((20, 20), (64, 64), "dorian", "6/8", "handpan, felt piano, soft pad"),
    "02-stress-overwhelm": ((18, 20), (70, 70), "dorian", "4/4", "Rhodes, vinyl hiss"),
    "03-rumination-culpabilite": (
        (19, 21),
        (62, 62),
        "aeolian",
        "6/8",
        "harp, kalimba, low-pass pad",
    ),
    "04-tristesse-deuil": ((22, 22), (68, 68), "lydian", "4/4", "piano, strings, soft flute"),
    "05-apathie-demotivation": (
        (18, 18),
        (100, 100),
        "ionian",
        "4/4",
        "pop piano, muffled claps, soft arp, round bass",
    ),
    "06-colere-irritabilite": (
        (20, 22),
        (88, 72),
        "minor blues, aeolian",
        "12/8, 4/4",
        "soft toms, airy pads, nylon guitar",
    ),
    "07-peur-anticipatoire": ((20, 22), (62, 62), "aeolian, dorian", "6/8", "handpan, soft drones"),
    "08-honte-anxiete-sociale": ((18, 20), (72, 72), "mixolydian", None, "Rhodes, round bass"),
    "09-jalousie-envie": ((18, 20), (76, 76), "mixolydian", None, "high-life guitar"),
    "10-solitude-isolement": ((20, 22), (78, 78), "ionian", None, "airy, choir, bells"),
    "11-fatigue-mentale": ((22, 24), (65, 60), "dorian", None, "piano, analog pads"),
    "12-hypersensibilite": ((18, 20), (62, 58), "aeolian", None, "felted textures"),
    "13-douleur-physique": ((20, 22), (64, 60), "dorian", None, "warm drones, low flute"),
    "14-manque-confiance": (
        (20, 22),
        (86, 92),
        "ionian",
        None,
        "soft arp, round bass, light groove",
    ),
    "15-perfectionnisme": ((18, 20), (78, 72), "mixolydian", None, "Rhodes, nylon guitar"),
    "16-nostalgie-melancolie": ((20, 22), (72, 68), "ionian", None, "chorus, tape"),
    "17-motivation-energie": (
        (18, 20),
        (104, 110),
        "dorian, ionian",
        None,
        "soft shakers, organic percussion",
    ),
    "18-concentration-flow": ((18, 20), (85, 95), "dorian", None, "repeating patterns"),
    "19-amour-gratitude": ((20, 22), (76, 82), "lydian, ionian", None, "light, choir, warm piano"),
}
# The last second of the reference's techniques.
TECHNIQUES_END_S = (
    *(720, 1200, 1080, 1140, 1320, 1080, 1320, 1320, 1080, 1080),
    *(1320, 1380, 1080, 1320, 1320, 1080, 1320, 1080, 1080, 1320),
)

each_preset = pytest.mark.parametrize("preset", all_presets(), ids=lambda preset: preset.key)


def test_there_are_the_twenty_presets_of_the_reference() -> None:
    assert [preset.key for preset in all_presets()] == list(FACTS)


@each_preset
def test_the_figures_are_those_of_the_reference(preset: Preset) -> None:
    minutes, tempo, modes, meters, instruments = FACTS[preset.key]

    assert (preset.minutes.min, preset.minutes.max) == minutes
    assert (preset.music.bpm_start, preset.music.bpm_end) == tempo
    assert ", ".join(preset.music.modes) == modes
    assert meters is None or ", ".join(preset.music.meters) == meters
    named = ", ".join(preset.music.instruments)
    assert all(instrument in named for instrument in instruments.split(", "))
    assert preset.techniques[-1].end_s == TECHNIQUES_END_S[int(preset.key[:2])]


@each_preset
def test_no_preset_warns_of_points_that_no_text_has_pressed(preset: Preset) -> None:
    notes = " ".join(f"{note.fr} {note.en}" for note in preset.contraindications)

    assert not re.search(r"\b(?:GI|LI|RP|SP) ?\d|\bpoints?\b|[Ee]nceinte|[Pp]regnan", notes)


@each_preset
def test_every_preset_says_when_to_ask_a_carer_and_not_to_drive(preset: Preset) -> None:
    french = [note.fr for note in preset.contraindications]

    assert "Pas au volant." in french
    assert "Épilepsie, psychose, dissociation : parlez-en d'abord à un soignant." in french


@each_preset
def test_every_text_is_there_in_both_languages(preset: Preset) -> None:
    for words in _shown(preset):
        assert words.fr
        assert words.en
        assert words.fr != words.en


@each_preset
def test_no_text_breaks_a_rule_of_wording(preset: Preset) -> None:
    for words in _shown(preset):
        assert find_forbidden(words.fr) is None
        assert find_forbidden(words.en) is None


@each_preset
def test_every_piece_says_how_it_evolves_in_its_own_minutes(preset: Preset) -> None:
    assert 1080 <= sum(segment.seconds for segment in preset.segments) <= 1440
    first, last = preset.segments[0].prompt, preset.segments[-1].prompt
    assert preset.music.tempos_in(first)[0] == preset.music.bpm_start
    assert preset.music.tempos_in(last)[0] == preset.music.bpm_end


def test_no_two_presets_share_a_sentence_or_a_title() -> None:
    owners: dict[str, str] = {}
    for preset in all_presets():
        for text in _all_texts(preset):
            for sentence in sentences(text):
                owner = owners.setdefault(sentence.casefold(), preset.key)
                assert owner == preset.key, sentence


def test_every_feeling_has_its_own_word() -> None:
    words = {preset.emotion for preset in all_presets()}

    assert len(words) == len(all_presets())
    assert find_preset("panique-anxiete").emotion == "fear"


def test_every_group_has_a_name_and_several_presets() -> None:
    for group in Group:
        assert GROUP_NAMES[group].fr != GROUP_NAMES[group].en
        assert sum(preset.group is group for preset in all_presets()) >= 4


def test_the_first_card_asks_nothing_of_its_reader() -> None:
    assert all_presets()[0].title.fr == "J'ai besoin de calme maintenant"


@each_preset
def test_a_preset_is_found_with_and_without_its_number(preset: Preset) -> None:
    assert find_preset(preset.key) is preset
    assert find_preset(preset.slug) is preset


@pytest.mark.parametrize(
    "key", ["", "00", "99-universel-reset", "Universel-Reset", "01-universel-reset", "x" * 10_000]
)
def test_an_unknown_key_is_answered_with_those_that_exist(key: str) -> None:
    with pytest.raises(UnknownPreset) as refusal:
        find_preset(key)

    assert refusal.value.keys == tuple(FACTS)
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"key": "universel-reset"}, "key"),
        ({"emotion": "two words"}, "emotion"),
        ({"minutes": {"min": 17, "max": 20}}, "minutes.min"),
        ({"minutes": {"min": 22, "max": 20}}, "min is over max"),
        ({"minutes": {"min": 23, "max": 24}}, "are not 23-24 min"),
        ({"title": {"fr": "Calme", "en": " "}}, "title.en"),
        ({"title": {"fr": "Calme"}}, "title.en"),
        ({"title": {"fr": "x" * 61, "en": "Calm"}}, "over 60 characters"),
        ({"card": {"fr": "Retenez votre souffle.", "en": "Listen."}}, "breath-holding"),
        ({"card": {"fr": "Écoutez.", "en": "This music heals."}}, "medical claim"),
        ({"techniques": []}, "techniques"),
        ({"segments": []}, "segments"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_preset_that_breaks_a_rule_is_refused(change: dict[str, object], complaint: str) -> None:
    sheet = all_presets()[0].model_dump() | change

    with pytest.raises(ValidationError, match=complaint):
        Preset.model_validate(sheet)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("68 BPM", "90 BPM", "no tempo of 68-68 BPM"),
        ("dorian", "phrygian", "none of the modes"),
        ("no vocals", "warm vocals", "instrumental, no vocals"),
        ("no accents", "a quiet singer", "asks for a voice"),
    ],
)
def test_a_prompt_that_leaves_the_facts_is_refused(before: str, after: str, complaint: str) -> None:
    sheet = all_presets()[0].model_dump()
    prompt = sheet["segments"][0]["prompt"]
    assert before in prompt
    sheet["segments"][0]["prompt"] = prompt.replace(before, after)

    with pytest.raises(ValidationError, match=complaint):
        Preset.model_validate(sheet)


def test_techniques_that_leave_a_gap_are_refused() -> None:
    sheet = all_presets()[0].model_dump()
    sheet["techniques"][1]["start_s"] += 1

    with pytest.raises(ValidationError, match="starts where the one before it ends"):
        Preset.model_validate(sheet)


def _shown(preset: Preset) -> Iterator[Bilingual]:
    """All words a listener can read, the contraindications apart."""
    yield from (preset.title, preset.from_feeling, preset.to_feeling, preset.card)
    yield from (preset.brief.title, preset.brief.text)
    yield from (technique.name for technique in preset.techniques)
    yield from (segment.title for segment in preset.segments)


def _all_texts(preset: Preset) -> Iterator[str]:
    for words in _shown(preset):
        yield from (words.fr, words.en)
    yield from (segment.prompt for segment in preset.segments)
