"""The verdict of `parcours smoke`: pass, pass but slow, or fail."""

from dataclasses import replace

import pytest

from parcours_xl.operations.smoke import JourneyReport, TrackReport, Verdict, find_slow
from parcours_xl.settings import Targets

TRACK = TrackReport(0, "Au seuil", "complete", 300, 38.0, 150.0, "runs/a/b.mp3", "u", 9, 300.0, 206)
JOURNEY = JourneyReport("a-run", "Un moment", "Un moment.", "ready", 700.0, [TRACK])
LATE = replace(JOURNEY, tracks=[replace(TRACK, preview_after_s=91.0)])


@pytest.mark.parametrize(
    ("journey", "failures", "verdict", "slow"),
    [
        (JOURNEY, [], "pass", []),
        (LATE, [], "slow", ["first preview after 91 s, target 40 s"]),
        (LATE, ["not so: the run is ready"], "fail", ["first preview after 91 s, target 40 s"]),
    ],
)
def test_the_verdict_knows_the_targets(
    journey: JourneyReport, failures: list[str], verdict: str, slow: list[str]
) -> None:
    found = Verdict("a-run", journey, failures, find_slow(journey, Targets()))
    assert (found.verdict, found.slow) == (verdict, slow)
    assert found.as_json()["verdict"] == verdict
    assert found.passed is (verdict != "fail")


def test_a_journey_that_was_never_heard_is_slow() -> None:
    unheard = replace(JOURNEY, tracks=[replace(TRACK, preview_after_s=None)])
    assert "no first preview, target 40 s" in find_slow(unheard, Targets())
