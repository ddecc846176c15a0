"""What the language model and Suno are asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours_xl.domain.emotion import EmotionState
from parcours_xl.domain.presets import Preset, all_presets, find_preset
from parcours_xl.domain.prompts import (
    NEGATIVE_TAGS,
    STYLE_CHARS_MAX,
    STYLE_CHARS_MAX_V4,
    FirstPiece,
    brief_messages,
    clean_prompt,
    prompts_for,
    suno_style,
)

each_preset = pytest.mark.parametrize("preset", all_presets(), ids=lambda preset: preset.key)
PANIC = find_preset("01-panique-anxiete")


@each_preset
@pytest.mark.parametrize("limit", [STYLE_CHARS_MAX, STYLE_CHARS_MAX_V4])
def test_a_style_always_carries_the_music_within_the_limit(preset: Preset, limit: int) -> None:
    for segment in preset.segments:
        style = suno_style(preset, segment.prompt, limit)

        assert len(style) <= limit
        assert style.startswith("instrumental, ")
        assert f"{preset.music.tempos_in(segment.prompt)[0]} BPM" in style
        assert any(mode in style for mode in preset.music.modes)
        assert all(instrument in style for instrument in preset.music.instruments)


@each_preset
def test_a_long_style_carries_the_whole_curated_prompt(preset: Preset) -> None:
    for segment in preset.segments:
        assert suno_style(preset, segment.prompt).endswith(segment.prompt)


@given(st.text(max_size=3000), st.sampled_from([STYLE_CHARS_MAX, STYLE_CHARS_MAX_V4]))
def test_any_prompt_becomes_a_style_of_whole_words(prompt: str, limit: int) -> None:
    style = suno_style(PANIC, prompt, limit)

    assert len(style) <= limit
    assert "64 BPM, dorian, 6/8, handpan, felt piano, soft pad" in style


def test_a_style_is_cut_between_words() -> None:
    style = suno_style(PANIC, "gentle " * 400, STYLE_CHARS_MAX)

    assert len(style) > STYLE_CHARS_MAX - len("gentle ")
    assert set(style.split(". ")[1].split()) == {"gentle"}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("aeolian guitar at 76 BPM in 4/4", "instrumental, 76 BPM, aeolian, 4/4,"),
        ("Minor Blues, 88bpm, 12/8", "instrumental, 88 BPM, minor blues, 12/8,"),
        ("at 140 BPM", "instrumental, 88 to 72 BPM, minor blues to aeolian, 12/8 to 4/4,"),
        ("a guitar", "instrumental, 88 to 72 BPM, minor blues to aeolian, 12/8 to 4/4,"),
    ],
)
def test_a_piece_keeps_its_own_tempo_and_mode_within_the_journey(
    prompt: str, expected: str
) -> None:
    assert suno_style(find_preset("colere-irritabilite"), prompt).startswith(expected)


def test_negative_tags_name_voices_and_frights_within_the_limit() -> None:
    assert len(NEGATIVE_TAGS) <= 1000
    assert {"vocals", "lyrics", "alarm", "heartbeat"} <= set(NEGATIVE_TAGS.split(", "))


def test_the_rules_name_what_is_forbidden_and_in_which_language_to_write() -> None:
    system, user = brief_messages(PANIC, EmotionState())

    assert (system["role"], user["role"]) == ("system", "user")
    for word in ("French", "English", "no vocals", "breath", "exposure", "hypnosis", "acupressure"):
        assert word in system["content"]
    assert "medical claim" in system["content"]


@each_preset
def test_the_journey_is_told_with_its_facts(preset: Preset) -> None:
    told = brief_messages(preset, EmotionState())[1]["content"]

    assert preset.from_feeling.en in told
    assert preset.to_feeling.en in told
    assert f"{preset.minutes.min * 60} to {preset.minutes.max * 60} seconds" in told
    assert all(fact in told for fact in (*preset.music.instruments, *preset.music.modes))
    assert ("exactly 4" in told) is (preset.minutes.min > 18)


def test_a_strong_fear_starts_where_the_listener_is_and_leads_down() -> None:
    told = brief_messages(PANIC, EmotionState("fear", 0.8))[1]["content"]

    assert '"fear", strength 0.80 of 1' in told
    assert "starts where the listener is" in told
    assert "leads down, step by step, to calm" in told


def test_each_strength_shapes_the_first_segment_differently() -> None:
    told = {
        brief_messages(PANIC, EmotionState("fear", strength))[1]["content"].split("The first")[1]
        for strength in (None, 0.1, 0.5, 0.8)
    }

    assert len(told) == 4


def test_a_journey_towards_momentum_leads_up() -> None:
    told = brief_messages(find_preset("apathie-demotivation"), EmotionState("apathy", 0.9))

    assert "leads up" in told[1]["content"]


def test_an_unsaid_feeling_is_that_of_the_preset() -> None:
    assert '"fear"' in brief_messages(PANIC, EmotionState(intensity=0.4))[1]["content"]


# What is sent to Suno


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Slow piano, In the style of Ludovico Einaudi, 60 BPM", "Slow piano, 60 BPM"),
        ("in the style of hans zimmer, big strings", "big strings"),
        ("warm pads by Brian Eno. Then calm", "warm pads. Then calm"),
        ("like Radiohead's Creep, guitar", "guitar"),
        ("Einaudi-like piano, soft", "piano, soft"),
        ("a song by The Beatles and soft drums", "a song and soft drums"),
        ("Some Unknown Band-style guitar", "guitar"),
        ("reminiscent of Coldplay and U2, calm", "calm"),
        ("dans le style de Debussy, piano", "piano"),
        ("feat. Adele, warm", "warm"),
        ('strings, the melody of "Let it be", soft', "strings, the melody of, soft"),
        ("soft pads, [Verse] [Chorus], slow", "soft pads, slow"),
        ("lyrics: I love you so. Soft piano", "Soft piano"),
        ("played by Rhodes piano, like rain on leaves", None),
        ("from Dorian to Aeolian, from E minor to G major", None),
        ("slow turns from Dm to G7 and back", None),
    ],
)
def test_names_and_words_to_be_sung_are_taken_out(written: str, sent: str | None) -> None:
    assert clean_prompt(written) == (written if sent is None else sent)


def test_every_curated_prompt_is_sent_as_it_is_written() -> None:
    for preset in all_presets():
        for segment in preset.segments:
            style = suno_style(preset, segment.prompt)
            assert clean_prompt(style) == style


def test_three_unlike_prompts_may_be_sent_for_a_segment() -> None:
    preset = all_presets()[0]
    written, curated, plain = prompts_for("Slow piano, 60 BPM", preset, 9)
    assert written == "Slow piano, 60 BPM"
    assert curated == suno_style(preset, preset.segments[-1].prompt)
    assert plain.startswith("instrumental, ") and len(plain) < 200


def test_a_prompt_that_is_the_presets_own_is_not_sent_twice() -> None:
    preset = all_presets()[0]
    own = suno_style(preset, preset.segments[0].prompt)
    assert len(prompts_for(own, preset, 0)) == 2
    assert prompts_for("Slow piano", None, 0) == ("Slow piano",)


@each_preset
def test_the_model_is_told_of_the_first_piece_that_is_composed_already(preset: Preset) -> None:
    curated = preset.segments[0]
    first = FirstPiece(curated.title.fr, curated.prompt, 300)
    asked = brief_messages(preset, EmotionState("fear", 0.8), first=first)[1]["content"]

    assert curated.prompt in asked and f'"{curated.title.fr}"' in asked and "300 seconds" in asked
    assert '"fear", strength 0.80 of 1' in asked
    # 300 s and twice six minutes are no 18 minutes.
    assert "Segments: exactly 4" in asked
