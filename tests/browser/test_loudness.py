"""Pieces that come out unlike in loudness are heard alike."""

import wave
from pathlib import Path

import numpy as np
import pytest

from parcours_xl.clients.audio_decoder import measure
from tests.browser.deployment import Deployment
from tests.browser.listener import Listener
from tests.browser.recording import Recording
from tests.browser.words import WRITTEN
from tests.fixtures.waiting import wait_until

PIECES, CROSSFADE_S = 4, 4
UNEVEN_DB, APART_LU_MAX, TARGET_LUFS, VOLUME = 5.5, 1.5, -18, 0.7


def loudness(heard: Recording, file: Path) -> float:
    """In LUFS, of what both sides of the loudspeakers said."""
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, heard.rate, 0, "NONE", ""))
        out.writeframes((heard.samples * 32_767).astype("<i2").tobytes())
    return float(measure(str(file), 60)["loudness_lufs"])


def test_pieces_of_unlike_loudness_are_heard_alike(
    listener: Listener, deployment: Deployment, tmp_path: Path
) -> None:
    deployment.tune(speed=300, uneven_db=UNEVEN_DB)
    listener.tap_start()
    listener.page.locator(WRITTEN).wait_for()
    wait_until(lambda: deployment.last_run()["status"] == "ready", 60)
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
    pieces = [
        loudness(heard.between(moment - 1.2, moment), tmp_path / "piece") for moment in settled
    ]
    made = [segment["metadata"]["loudness_lufs"] for segment in deployment.segments()]
    assert max(made) - min(made) > 2 * UNEVEN_DB, "they were made unlike"
    assert max(pieces) - min(pieces) <= APART_LU_MAX
    assert np.mean(pieces) == pytest.approx(TARGET_LUFS + 20 * np.log10(VOLUME), abs=1)


def _settle(listener: Listener) -> float:
    """Wait until a piece is alone and at its level; when that is, by the sound's clock."""
    listener.listen_for(CROSSFADE_S + 1.5)
    return float(listener.page.evaluate("__ear.now()"))
