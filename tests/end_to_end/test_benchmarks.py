"""The benchmarks run, however small; what they measure here says nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.capacity import calls_a_window, worst_window
from benchmarks.figures import Figures, compare, middle, quantile
from benchmarks.growth import COMMANDS_S_MAX, QUERIES

ROOT = Path(__file__).parents[2]
ALL_CALLS = {
    "state-changing UPDATE",
    "bare SQL function",
    "record_callback first",
    "callback first",
    "callback first, run not active",
    "callback first, repeated",
    "callback complete (3 MB)",
    "sign-track",
    "create",
}

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="they read processes' figures from /proc"
)


def run_benchmark(*words: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words, "--json"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_every_call_is_measured_and_every_track_is_stored() -> None:
    report = run_benchmark("latency", "--tiny")
    rows = report["latency"]
    assert isinstance(rows, list)
    assert {(row["call"], row["concurrent"]) for row in rows} >= {
        (call, concurrent) for call in ALL_CALLS for concurrent in (1, 32)
    }
    assert all(0 < row["p50_ms"] <= row["p99_ms"] and row["per_second"] > 0 for row in rows)
    memory = report["memory"]
    assert isinstance(memory, dict)
    assert 0 < memory["idle_mb"] <= memory["peak_mb"]


def test_workers_are_counted_and_suno_keeps_its_quota() -> None:
    report = run_benchmark("capacity", "--tiny")
    rows = report["capacity"]
    assert isinstance(rows, list)
    assert [(row["workers"], len(row["worker_cpu_share"])) for row in rows] == [(1, 1)]
    assert all(0 < row["suno_calls_worst_window"] <= 20 for row in rows)
    assert sum(row["database_calls_a_second"] for row in rows) > 0


def test_the_first_preview_is_measured_with_the_setting_off_and_on() -> None:
    rows = run_benchmark("preview", "--tiny")["preview"]
    assert isinstance(rows, list)
    off, on = rows
    assert (off["early"], on["early"]) == (False, True)
    assert off["submitted_s"] > off["create_s"] and on["submitted_s"] < on["create_s"]
    assert all(row["arrived_s"] <= row["read_s"] for row in rows)


def test_forged_callbacks_cost_suno_no_question_about_what_was_never_submitted() -> None:
    report = run_benchmark("starvation", "--tiny")
    figures = report["starvation"]
    assert isinstance(figures, dict)
    assert figures["alone_s"] > 0 and figures["beside_s"] > 0
    assert figures["questions_about_the_unsubmitted"] == 0
    assert set(figures["forged"]) <= {"200", "401"}


def test_growth_is_measured_query_by_query_and_by_an_operators_commands() -> None:
    figures = run_benchmark("growth", "--tiny")["growth"]
    assert isinstance(figures, dict)
    assert [row["query"] for row in figures["queries"]] == [query.name for query in QUERIES]
    assert all(row["buffers"] >= 0 and row["ms"] >= 0 for row in figures["queries"])
    assert set(figures["commands"]) == set(COMMANDS_S_MAX)
    assert all(took["s"] > 0 for took in figures["commands"].values())


def test_medians_of_rounds_leave_out_a_bad_one() -> None:
    rounds = [Figures.of([ms] * 10, 1.0) for ms in (2.0, 100.0, 3.0)]
    assert middle(rounds) == Figures(3.0, 3.0, 10.0)
    others = [Figures.of([ms] * 20, 1.0) for ms in (1.0, 50.0, 1.0)]
    assert compare(rounds, others) == {"p50_ratio": 2.0, "throughput_ratio": 0.5}


def test_a_quantile_is_a_value_that_was_seen() -> None:
    values = [float(value) for value in range(1, 101)]
    assert quantile(values, 0.5) == 51
    assert quantile(values, 0.99) == 100
    assert quantile([7.0], 0.99) == 7


def test_windows_are_counted_wherever_they_begin() -> None:
    # 20 at once, ten seconds apart; then one that comes too early.
    bursts = [start + place / 64 for start in (0.0, 10.0, 20.0) for place in range(20)]
    assert worst_window(bursts) == 20
    assert calls_a_window(bursts, 0.0) == pytest.approx(20)
    assert worst_window([*bursts, 29.0]) == 21
    slower = [start + place / 64 for start in (0.0, 20.0, 40.0) for place in range(20)]
    assert calls_a_window(slower, 0.0) == pytest.approx(10)
