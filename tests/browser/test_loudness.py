"""Pieces that come out unlike in loudness are heard alike."""

import numpy as np
import pytest

from tests.browser.house import House
from tests.browser.listener import Listener
from tests.browser.recording import Recording
from tests.fixtures.waiting import wait_until

pyebur128 = pytest.importorskip("pyebur128")

PIECES, CROSSFADE_S = 4, 4
UNEVEN_DB, APART_LU_MAX, TARGET_LUFS, VOLUME = 3, 1.5, -18, 0.7


def loudness(heard: Recording) -> float:
    """In LUFS, of what both sides of the loudspeakers said."""
    meter = pyebur128.R128State(2, heard.rate, pyebur128.MeasurementMode.MODE_I)
    frames = np.repeat(heard.samples.astype(np.float32), 2)
    meter.add_frames(np.ascontiguousarray(frames), len(heard.samples))
    return float(pyebur128.get_loudness_global(meter))


def test_pieces_of_unlike_loudness_are_heard_alike(listener: Listener, house: House) -> None:
    house.tune(speed=300, uneven_db=UNEVEN_DB)
    listener.tap_start()
    listener.page.locator(".brief").wait_for()
    wait_until(lambda: house.last_run()["status"] == "ready", 60)
    listener.press("stop")
    listener.press("home")
    listener.follow("runs")
    listener.page.locator(".run button").first.click()
    listener.wait_for_music()
    settled = [_settle(listener)]
    listener.press("more")
    for _ in range(PIECES - 1):
        listener.press("next piece")
        settled.append(_settle(listener))

    heard = listener.recording()
    pieces = [loudness(heard.between(moment - 1.2, moment)) for moment in settled]
    made = [segment["metadata"]["loudness_lufs"] for segment in house.segments()]
    assert max(made) - min(made) > 2 * UNEVEN_DB, "they were made unlike"
    assert max(pieces) - min(pieces) <= APART_LU_MAX
    assert np.mean(pieces) == pytest.approx(TARGET_LUFS + 20 * np.log10(VOLUME), abs=1)


def _settle(listener: Listener) -> float:
    """Wait until a piece is alone and at its level; when that is, by the sound's clock."""
    listener.listen_for(CROSSFADE_S + 1.5)
    return float(listener.page.evaluate("__ear.now()"))
