"""How long and how loud a track really is, and whether it plays: it is decoded in a child process.

The child (`audio_decoder`) holds what FFmpeg may do with a hostile file: it has bounded memory and
time, no secrets, and its crash is an answer like any other.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parcours_xl.errors import PermanentError, RetryableError

LISTENED_S_MAX = 900
"""Over twice a long song; a file within the bucket's limit could hold hours."""
DECODE_S_MAX = 120
"""Wall time for one file; a long song takes a few seconds of an idle core."""
DECODER = "parcours_xl.clients.audio_decoder"
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")
"""What the child is told of the parent's environment: no secret."""


class NotPlayable(PermanentError):
    """The file cannot be decoded as music that a browser plays."""


class DecoderBusy(RetryableError):
    """The file could not be decoded in time, which may be no fault of its own."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a file holds.

    seconds: at most LISTENED_S_MAX. silent: never above -60 LUFS. loudness_lufs and
    true_peak_dbtp: None for silence. sound_end_seconds: where the last sound ends, when silence
    follows; None when the file sounds to its end.
    """

    content_type: str
    seconds: float
    silent: bool = False
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    sound_end_seconds: float | None = None


class Audio:
    """Decodes files, one at a time: a worker that stores several tracks keeps one core for it."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Semaphore(1)

    async def measure(self, file: Path) -> Sound:
        """Decode a file to its end. Raises NotPlayable or DecoderBusy.

        A cancelled caller ends the child.
        """
        async with self._one_at_a_time:
            answer = await _decode(file)
        if "unplayable" in answer:
            raise NotPlayable(f"what came does not play: {answer['unplayable']}")
        return Sound(**answer)


async def _decode(file: Path) -> dict[str, Any]:
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            DECODER,
            str(file),
            str(LISTENED_S_MAX),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            start_new_session=True,  # an interrupt at the terminal is for the parent, which drains
        )
    except OSError as error:  # no memory, no process: the file is not to blame
        raise DecoderBusy("no process to decode a track could be started") from error
    try:
        async with asyncio.timeout(DECODE_S_MAX):
            said, _ = await child.communicate()
    except TimeoutError as error:
        raise DecoderBusy("a track could not be decoded in time") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode is not None, "it has ended"
    if child.returncode < 0:  # it crashed, or went over its limits
        return {"unplayable": f"its decoder ended with signal {-child.returncode}"}
    if child.returncode > 0:
        raise RuntimeError("the audio decoder does not work; is `av` installed?")
    answer: dict[str, Any] = json.loads(said)
    return answer
