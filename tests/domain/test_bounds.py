"""A deployment may bound its journeys otherwise, as tests of the player do."""

import pytest

from parcours_xl.domain.brief import curated_brief
from parcours_xl.domain.durations import Bounds, fit_durations
from parcours_xl.domain.emotion import EmotionState
from parcours_xl.domain.presets import all_presets, find_preset
from parcours_xl.domain.prompts import brief_messages

SHORT = Bounds(segment_s_min=10, segment_s_max=15, journey_s_min=40, journey_s_max=60)


@pytest.mark.parametrize("asked", [[300.0] * 4, [300.0] * 3, [1, 1e9, float("nan"), 12]])
def test_short_bounds_hold_for_whatever_is_asked(asked: list[float]) -> None:
    fitted = fit_durations(asked, 1200, 1320, SHORT)

    assert all(10 <= seconds <= 15 for seconds in fitted)
    assert 40 <= sum(fitted) <= 60


@pytest.mark.parametrize("preset", all_presets(), ids=lambda preset: preset.key)
def test_the_curated_brief_keeps_the_bounds_too(preset: object) -> None:
    brief = curated_brief(preset, bounds=SHORT)  # type: ignore[arg-type]

    assert all(10 <= segment.planned_seconds <= 15 for segment in brief.segments)


def test_the_language_model_is_told_the_bounds() -> None:
    [_, user] = brief_messages(find_preset("panique-anxiete"), EmotionState(), SHORT)

    assert "each 10 to 15 seconds, together 60 to 60 seconds" in user["content"]


@pytest.mark.parametrize(
    ("wishes", "complaint"),
    [
        ({"segment_s_min": 400}, "the shortest segment is longer"),
        ({"journey_s_min": 1500}, "the shortest journey is longer"),
        ({"segment_s_max": 300}, "3 segments cannot fill the shortest journey"),
        ({"journey_s_max": 1500}, "4 segments cannot fill the longest journey"),
        ({"segment_s_min": 300}, "4 segments do not fit the shortest journey"),
    ],
)
def test_bounds_that_no_journey_can_keep_are_refused(
    wishes: dict[str, int], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Bounds(**wishes)
