"""`parcours demo`, as a person runs it in a terminal."""

import json
import re
import signal
import subprocess
import sys

import httpx
import pytest

QUICKLY = ("--speed", "400", "--track-seconds", "20")
ENDED_S_MAX = 60


def test_a_journey_is_lived_and_then_the_page_stays_until_ctrl_c() -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "parcours_xl.cli.main", "demo", "--stay", "--json", *QUICKLY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert demo.stderr is not None
        printed = ""
        for line in demo.stderr:
            printed += line
            if "Player" in line:
                break
        address = re.search(r"Player +(http://\S+/)\n", printed)
        assert address is not None, printed
        page = httpx.get(address[1], trust_env=False, timeout=30)
        assert page.status_code == 200
        assert "<title>Parcours" in page.text
    finally:
        demo.send_signal(signal.SIGINT)
        told, _ = demo.communicate(timeout=ENDED_S_MAX)
    assert demo.returncode == 0
    report = json.loads(told)
    assert report["faults"] == []
    assert report["first_music_from_reserve_s"] > 0
    assert (report["stranger"], report["anonymous"]) == (403, 401)
    with pytest.raises(httpx.ConnectError):
        httpx.get(address[1], trust_env=False, timeout=30)
