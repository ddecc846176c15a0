"""Samples to MP3: 44.1 kHz stereo at a constant bit rate, so that bytes tell time."""

from collections.abc import Iterator

import lameenc  # type: ignore[import-not-found]  # it comes without types
import numpy as np

from parcours_dev.simulators.instruments import RATE, Samples

KBITS_A_SECOND = 128
BYTES_A_SECOND = KBITS_A_SECOND * 1000 / 8
QUICK = 7
"""LAME's quality, 2 best to 9 quickest; 7 takes half the time of 5."""


def encode(blocks: Iterator[Samples], kbits_a_second: int = KBITS_A_SECOND) -> Iterator[bytes]:
    """Encode as the blocks come; the last piece flushes the encoder. Pieces are never empty."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(kbits_a_second)
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(2)
    encoder.set_quality(QUICK)
    for block in blocks:
        samples = np.clip(block * np.float32(32_767), -32_768, 32_767).astype("<i2")
        interleaved = samples.tobytes(order="F")
        if piece := bytes(encoder.encode(interleaved)):
            yield piece
    yield bytes(encoder.flush())
