"""What comes over a slow line before Start, and before a sound. Bytes: times are measured by
`make bench-page`."""

import pytest
from playwright.sync_api import Browser

from benchmarks.page import FirstVisit, visit
from tests.browser.deployment import Deployment

BEFORE_START_BYTES_MAX = 55_000
BEFORE_SOUND_BYTES_MAX = 125_000
"""At 400 kbit/s 50,000 bytes arrive in a second."""


@pytest.fixture
def seen(browser: Browser, deployment: Deployment) -> FirstVisit:
    deployment.tune(first_s=900)
    return visit(browser, deployment.url)


def test_start_and_the_bed_need_little_and_nothing_else_comes_before_them(
    seen: FirstVisit,
) -> None:
    assert sum(seen.before_start.values()) <= BEFORE_START_BYTES_MAX, seen.before_start
    assert {"/", "/config.json"} <= seen.before_start.keys()
    early = [name for name in seen.before_start if name.endswith((".mp3", ".woff2"))]
    assert early == [], "sound and typefaces do not keep Start waiting"

    assert sum(seen.before_sound.values()) <= BEFORE_SOUND_BYTES_MAX, seen.before_sound
    [bed] = [name for name in seen.before_sound if name.endswith(".mp3")]
    assert bed.startswith("/assets/bed-start-")
    late = [name for name in seen.before_sound if "/backend-" in name or name.endswith(".woff2")]
    assert late == [], "Supabase and the typeface come after the first sound"
