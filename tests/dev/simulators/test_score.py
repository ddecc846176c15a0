"""The words of a prompt become tempo, mode, meter, mood and instruments."""

import pytest

from parcours_dev.simulators.score import read_score


@pytest.mark.parametrize(
    ("words", "tempo"),
    [
        ("handpan, 64 BPM, calm", (64, 64)),
        ("from 88 to 72 bpm", (88, 72)),
        ("104-110 BPM", (104, 110)),
        ("88→72 BPM", (88, 72)),
        ("BPM: 62", (62, 62)),
        ("no tempo named", (66, 66)),
        ("400 BPM", (160, 160)),
    ],
)
def test_tempo_follows_the_words(words: str, tempo: tuple[int, int]) -> None:
    score = read_score(words, 60, "seed")
    assert (score.bpm_start, score.bpm_end) == tempo


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        ("E dorian, 6/8", "dorian"),
        ("mode dorien", "dorian"),
        ("slow aeolian", "aeolian"),
        ("mode éolien", "aeolian"),
        ("lydian hope", "lydian"),
        ("mixolydian groove", "mixolydian"),
        ("ionien", "ionian"),
        ("minor blues to major", "aeolian"),
    ],
)
def test_mode_follows_the_first_word_that_names_one(words: str, mode: str) -> None:
    assert read_score(words, 60, "seed").mode == mode


def test_compound_meters_have_three_parts_to_a_beat() -> None:
    assert _meter("6/8") == (2, 3)
    assert _meter("12/8") == (4, 3)
    assert _meter("3/4") == (3, 2)
    assert _meter("4/4") == (4, 2)
    assert _meter("free") == (4, 2)


def _meter(words: str) -> tuple[int, int]:
    score = read_score(words, 60, "seed")
    return score.beats, score.subdivisions


def test_a_named_key_is_kept_and_an_unnamed_one_comes_from_the_seed() -> None:
    assert read_score("E dorian", 60, "any").tonic == 4
    assert read_score("B♭ ionian", 60, "any").tonic == 10
    drawn = {read_score("dorian", 60, str(seed)).tonic for seed in range(30)}
    assert len(drawn) > 2


def test_instruments_are_taken_in_their_order_and_what_is_refused_is_not_played() -> None:
    assert read_score("harp over kalimba", 60, "seed").voices == ("harp", "kalimba")
    assert read_score("Rhodes, no guitar or bells, flute", 60, "s").voices == ("rhodes", "flute")
    assert read_score("soft flute", 60, "seed").voices == ("handpan", "flute")
    assert read_score("shakers, soft claps", 60, "seed").percussion == ("shaker", "clap")
    assert read_score("without any percussion, piano", 60, "seed").percussion == ()


def test_mood_words_change_how_busy_and_how_bright_the_music_is() -> None:
    calm = read_score("calm, sparse, deep and dark", 60, "seed")
    lively = read_score("bright, energetic movement", 60, "seed")
    assert calm.busyness < 0.5 < lively.busyness
    assert calm.brightness < 0.5 < lively.brightness


def test_tempo_glides_over_the_piece() -> None:
    score = read_score("88 to 72 BPM", 100, "seed")
    assert [score.bpm_at(second) for second in (0, 50, 100, 200)] == [88, 80, 72, 72]
