"""The judge of Stops and Pauses, judged: on presses whose end is known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.browser.firefox_bidi import UNKNOWN, answer_for
from tests.browser.recording import Mark, Recording
from tests.browser.trials import CLICK_DBFS, Seen, Trial, judge, summary
from tests.browser.words import WORDS

RATE = 48_000
PRESSED_S, NEXT_S, ENDS_S = 1.0, 2.0, 3.0


def heard(lasts_s: float) -> Recording:
    """A tone that sounds on for so long after Stop; Start is pressed a second later."""
    time = np.arange(round(ENDS_S * RATE)) / RATE
    sound = 0.1 * np.sin(2 * np.pi * 500 * time)
    sound[(time > PRESSED_S + lasts_s) & (time < NEXT_S)] = 0
    marks = (Mark("click Start", 0.2, 0.2), Mark("click Stop", PRESSED_S, PRESSED_S))
    return Recording(sound, RATE, marks=(*marks, Mark("click Start", NEXT_S, NEXT_S)))


def judged(graph_s: float, sink_s: float, wrong: str = "", *, held_up: bool = False) -> Trial:
    [trial] = judge(heard(graph_s), heard(sink_s), [Seen(wrong, held_up)], WORDS["en"])
    return trial


@pytest.mark.parametrize(
    ("graph_s", "sink_s", "held_up", "faults"),
    [
        (0.03, 0.06, False, 0),
        (0.049, 0.28, False, 0),
        (0.1, 0.12, False, 1),
        (0.1, 0.12, True, 0),
        (0.03, 0.4, True, 1),
        (1.0, 1.0, False, 2),
        (1.0, 1.0, True, 2),
    ],
)
def test_what_sounds_on_after_stop_is_found(
    graph_s: float, sink_s: float, held_up: bool, faults: int
) -> None:
    assert len(judged(graph_s, sink_s, held_up=held_up).faults) == faults


@pytest.mark.parametrize(
    ("graph_s", "sink_s", "wrong", "is_late"),
    [
        (0.03, 0.4, "", True),
        (0.03, 0.9, "", True),
        (0.03, 1.0, "", False),
        (0.03, 0.4, "still playing", False),
        (0.1, 0.4, "", False),
        (0.1, 0.1, "", False),
    ],
)
def test_a_late_sink_is_told_from_a_page_that_is_late(
    graph_s: float, sink_s: float, wrong: str, is_late: bool
) -> None:
    assert judged(graph_s, sink_s, wrong).late_at_the_sink == is_late


def test_how_long_it_sounded_on_is_measured() -> None:
    trial = judged(0.03, 0.1)

    assert trial.after_s == pytest.approx(PRESSED_S - 0.2)
    assert (trial.graph_s, trial.sink_s) == pytest.approx((0.03, 0.1), abs=0.006)


def test_what_is_cut_hard_clicks_and_what_fades_does_not() -> None:
    time = np.arange(round(ENDS_S * RATE)) / RATE
    fade = np.clip((PRESSED_S + 0.03 - time) / 0.02, 0, 1)
    faded = replace(heard(0.03), samples=0.1 * np.sin(2 * np.pi * 500 * time) * fade)
    [soft] = judge(faded, faded, [Seen("", held_up=False)], WORDS["en"])

    assert soft.click_dbfs is not None
    assert soft.click_dbfs < CLICK_DBFS < (judged(0.0301, 0.06).click_dbfs or 0)


def test_a_page_that_says_otherwise_is_a_fault() -> None:
    assert judged(0.03, 0.06, "no .screen.end").faults == ("no .screen.end",)


def test_a_press_that_was_not_carried_out_at_all_is_missed() -> None:
    with pytest.raises(AssertionError, match="1 of 2 presses"):
        judge(heard(0), heard(0), [Seen("", False)] * 2, WORDS["en"])


def test_the_table_counts_what_failed() -> None:
    told = summary([judged(0.03, 0.06), judged(1.0, 1.0)])

    assert (told["tried"], told["failed"]) == (2, 1)


def test_firefox_is_spared_only_the_command_that_it_does_not_know() -> None:
    asked = json.dumps({"id": 7, "method": UNKNOWN, "params": {}})

    assert json.loads(answer_for(asked) or "") == {"type": "success", "id": 7, "result": {}}
    assert answer_for(json.dumps({"id": 8, "method": "session.new", "params": {}})) is None
    assert answer_for(json.dumps({"id": 9, "method": "x", "params": {"text": UNKNOWN}})) is None
