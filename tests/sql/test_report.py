"""report_slice: what a slice of time looked like."""

from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tests.sql.callers import OWNER, STRANGER
from tests.sql.scenarios import START, ScenarioEvent, tell
from tests.sql.world import World

TARGETS = {
    "ttfp_s": 40,
    "ttfc_s": 180,
    "ready_s": 1440,
    "ttfc_alert_s": 300,
    "runner_timeout_s": 1800,
}
NOTHING = {"late": 0, "seconds": {}}
LIVED_NOTHING = dict.fromkeys(("ttfp", "ttfc", "ready", "suno_ready"), NOTHING)
STORED: list[ScenarioEvent] = [(161, "segment.complete", {"stored": True})]


def piece(at: float = 1, first: float = 34, delivered: float = 160) -> list[ScenarioEvent]:
    """A segment that was composed at the first attempt."""
    return [
        (at, "segment.claimed", {"attempt": 1}),
        (at + 0.2, "segment.submitted"),
        (at + first, "segment.first"),
        (at + delivered, "segment.delivered"),
        (at + delivered + 1, "segment.complete", {"stored": True}),
    ]


def report(world: World, hours: float = 2, start: Any = START) -> dict[str, Any]:
    return dict(
        world.service.call(
            "report_slice",
            **{"from": start, "to": start + timedelta(hours=hours)},
            targets=TARGETS,
        )
    )


def test_suno_is_measured_from_the_claim_and_the_listener_from_the_creation(world: World) -> None:
    tell(world, piece(at=2), piece(at=170), run=[(1, "run.started"), (332, "run.ready")])
    found = report(world)
    assert found["suno"]["ttfp"] == {"late": 0, "seconds": {"34.0": 2}}
    assert found["suno"]["ttfc"] == {"late": 0, "seconds": {"160.0": 2}}
    assert found["listener"]["ttfp"] == {"late": 0, "seconds": {"36.0": 1}}
    assert found["listener"]["ttfc"] == {"late": 0, "seconds": {"163.0": 1}}
    assert found["listener"]["ready"] == {"late": 0, "seconds": {"332.0": 1}}


def test_what_never_came_is_late_once_its_target_is_over(world: World) -> None:
    tell(world, [(1, "segment.claimed", {"attempt": 1})], status="creating")
    found = report(world)
    for timing in ("ttfp", "ttfc"):
        assert found["suno"][timing] == {"late": 1, "seconds": {}}
        assert found["listener"][timing] == {"late": 1, "seconds": {}}
    assert found["listener"]["ready"] == {"late": 1, "seconds": {}}
    assert (found["suno"]["ttfc_slow"], found["suno"]["ttfc_measured"]) == (1, 1)


def test_what_failed_before_its_target_is_an_error_and_not_late(world: World) -> None:
    tell(
        world,
        [
            (1, "segment.claimed", {"attempt": 1}),
            (20, "segment.failed", {"reason": "suno_error", "attempt": 1, "again": True}),
            (20, "segment.requeued"),
            *((at + 21, *rest) for at, *rest in piece(at=0)),
        ],
        run=[(0, "run.started"), (190, "run.ready")],
    )
    found = report(world)
    assert found["suno"]["ttfp"] == {"late": 0, "seconds": {"34.0": 1}}
    assert (found["suno"]["submissions"], found["suno"]["retries"]) == (2, 1)
    assert found["listener"]["ttfp"] == {"late": 0, "seconds": {"55.0": 1}}
    assert found["listener"]["ready"]["seconds"] == {"190.0": 1}
    assert found["listener"]["suno_ready"]["seconds"] == {"189.0": 1}
    assert found["outcomes"]["errors"] == {"suno_error": 1}
    assert found["outcomes"]["complete"] == 1


def test_a_track_that_skips_its_preview_is_its_own_first_sound(world: World) -> None:
    tell(
        world,
        [(0, "segment.claimed", {"attempt": 1}), (100, "segment.delivered")],
        run=[(0, "run.started"), (100, "run.ready")],
    )
    assert report(world)["suno"]["ttfp"]["seconds"] == {"100.0": 1}


def test_late_music_belongs_to_the_attempt_that_asked_for_it(world: World) -> None:
    tell(
        world,
        [
            (0, "segment.claimed", {"attempt": 1}),
            (300, "segment.failed", {"reason": "timeout", "attempt": 1}),
            (400, "segment.delivered", {"late": True}),
            (401, "segment.complete", {"stored": True}),
        ],
        run=[(0, "run.started"), (300, "run.failed"), (401, "run.ready")],
    )
    found = report(world)
    assert found["suno"]["ttfc"]["seconds"] == {"400.0": 1}
    assert found["suno"]["ttfc_slow"] == 1
    assert found["listener"]["ready"]["seconds"] == {"401.0": 1}
    assert found["listener"]["suno_ready"]["seconds"] == {"401.0": 1}


def test_who_told_of_the_music_is_counted(world: World) -> None:
    tell(
        world,
        [
            (0, "segment.claimed", {"attempt": 1}),
            (34, "segment.first", {"source": "callback"}),
            (241, "segment.delivered", {"source": "record_info"}),
        ],
        status="creating",
    )
    assert report(world)["outcomes"]["messengers"] == {"callback": 1, "record_info": 1}


def test_refusals_are_counted_by_code_and_delay_nothing_of_sunos(world: World) -> None:
    tell(
        world,
        [
            (0, "segment.claimed", {"attempt": 1}),
            (0.1, "segment.refused", {"code": 430}),
            (2, "segment.claimed", {"attempt": 1}),
            (2.1, "segment.refused", {"code": 405}),
            (6, "segment.claimed", {"attempt": 1}),
            (6.1, "segment.failed", {"reason": "suno_busy", "code": 430, "attempt": 1}),
        ],
        [(6.1, "segment.failed", {"reason": "suno_account", "code": 429, "attempt": 0})],
        status="failed",
        run=[(0, "run.started"), (6.1, "run.failed")],
    )
    found = report(world)
    assert found["outcomes"]["refusals"] == {"430": 2, "405": 1}


def test_too_many_requests_and_no_credits_are_two_things_though_both_are_a_429(
    world: World,
) -> None:
    tell(
        world,
        [
            (0, "segment.claimed", {"attempt": 1}),
            (1, "segment.refused", {"code": 429}),
            (3, "segment.claimed", {"attempt": 1}),
            (4, "segment.failed", {"reason": "suno_account", "code": 429, "attempt": 1}),
        ],
        status="failed",
    )
    assert report(world)["outcomes"]["refusals"] == {"429": 1, "429 (credits)": 1}


def test_the_listener_has_waited_since_create_was_asked(world: World) -> None:
    tell(world, piece(), run=[(0, "run.started"), (162, "run.ready")], waited_s=5.2)
    found = report(world)
    assert found["suno"]["ttfp"]["seconds"] == {"34.0": 1}
    assert found["listener"]["ttfp"]["seconds"] == {"40.2": 1}
    assert found["listener"]["ttfc"]["seconds"] == {"167.2": 1}
    assert found["listener"]["ready"]["seconds"] == {"167.2": 1}
    assert found["listener"]["suno_ready"]["seconds"] == {"161.0": 1}


def test_a_run_that_failed_unheard_missed_its_first_sound_unless_it_was_stopped(
    world: World,
) -> None:
    failed: list[ScenarioEvent] = [
        (1, "segment.claimed", {"attempt": 1}),
        (2, "segment.failed", {"reason": "suno_account", "code": 401, "attempt": 1}),
    ]
    ended: list[ScenarioEvent] = [(0, "run.started"), (2, "run.failed")]
    tell(world, failed, run=ended, status="failed")
    assert report(world)["listener"]["ttfp"] == {"late": 1, "seconds": {}}
    tell(world, failed, run=[*ended, (1.5, "run.cancelled")], status="failed")
    assert report(world)["listener"]["ttfp"] == {"late": 1, "seconds": {}}


def test_credits_are_told_by_what_became_of_the_attempt(world: World) -> None:
    """An attempt costs 12: what Suno refused, nothing; what it did not answer, as much."""
    bought = {"attempt": 1, "credits": 12}
    tell(
        world,
        [
            (0, "segment.claimed", bought),
            (0.1, "segment.refused", {"code": 430}),
            (2, "segment.claimed", bought),
            (2.2, "segment.submitted"),
            (30, "segment.failed", {"reason": "suno_content", "attempt": 1}),
            (30, "segment.requeued"),
            (31, "segment.claimed", bought | {"attempt": 2}),
            (31.5, "segment.failed", {"reason": "suno_content", "attempt": 2}),
            (32, "segment.requeued"),
            (33, "segment.claimed", bought | {"attempt": 3}),
            (33.2, "segment.submitted"),
            (190, "segment.delivered"),
            (191, "segment.complete", {"stored": True}),
        ],
        [
            (192, "segment.claimed", bought),
            (282, "segment.failed", {"reason": "no_answer", "attempt": 1}),
        ],
        [(300, "segment.claimed", bought), (300.2, "segment.submitted")],
        run=[(0, "run.started"), (1, "run.put_off", {"reason": "credits_daily_max"})],
    )
    found = report(world)
    assert found["costs"] == {
        "runs": 1,
        "kept": 12,
        "under_way": 12,
        "wasted": {"suno_content": 12, "no_answer": 12},
    }
    assert found["outcomes"]["put_off"] == {"credits_daily_max": 1}


def test_words_that_suno_refused_are_named(world: World) -> None:
    facts = {"reason": "suno_content", "code": 400}
    event_log: list[ScenarioEvent] = []
    for place, said in enumerate(("an artist name", "an artist name", "matches a work")):
        event_log.append((place, "segment.claimed", {"attempt": place + 1}))
        failure = facts | {"message": said, "attempt": place + 1}
        event_log.append((place + 0.5, "segment.failed", failure))
    tell(world, event_log, status="failed")
    outcomes = report(world)["outcomes"]
    assert outcomes["refused_words"] == {"an artist name": 2, "matches a work": 1}
    assert outcomes["refusals"] == {"400": 3}


def test_a_run_that_was_never_started_keeps_nobody_waiting(world: World) -> None:
    tell(world, run=[], status="creating")
    found = report(world)
    assert found["listener"] == LIVED_NOTHING
    assert found["timeouts"] == {"measured": 0, "timed_out": 0}


def test_a_first_piece_that_create_began_is_no_start_of_the_whole(world: World) -> None:
    for run in ([], [(0, "run.started")]):
        tell(world, piece(), run=run, status="creating", brief_source="being_written")
    listener = report(world)["listener"]
    assert sum(listener["ttfp"]["seconds"].values()) == 2
    assert listener["ready"]["late"] == listener["suno_ready"]["late"] == 1


def test_runs_that_take_over_thirty_minutes_have_timed_out(world: World) -> None:
    for over_at in (600, 1799, 1801, None):
        ended: list[ScenarioEvent] = [] if over_at is None else [(over_at, "run.failed")]
        tell(world, run=[(0, "run.started"), *ended], status="failed")
    assert report(world)["timeouts"] == {"measured": 4, "timed_out": 2}


def test_statuses_are_those_of_the_runs_created_then(world: World) -> None:
    tell(world, piece(), piece(at=200))
    tell(world, status="failed")
    tell(world, status="failed", start=START + timedelta(hours=3))
    assert report(world)["statuses"] == {
        "runs": {"ready": 1, "failed": 1},
        "segments": {"complete": 2},
    }


def test_tracks_that_are_only_linked_are_told_apart(world: World) -> None:
    tell(world, [(0, "segment.complete", {"stored": False})], STORED)
    outcomes = report(world)["outcomes"]
    assert (outcomes["complete"], outcomes["linked"]) == (2, 1)


def test_what_was_cancelled_is_no_error(world: World) -> None:
    tell(world, [(0, "segment.failed", {"reason": "cancelled", "attempt": 0})], status="failed")
    assert report(world)["outcomes"]["errors"] == {}


def test_slices_add_up(world: World) -> None:
    for place in range(6):
        tell(world, piece(), start=START + timedelta(minutes=20 * place))
    whole = report(world, hours=2)
    halves = [report(world, 1), report(world, 1, START + timedelta(hours=1))]
    for timing in ("ttfp", "ttfc"):
        assert [half["suno"][timing]["seconds"] for half in halves] == [
            dict.fromkeys(whole["suno"][timing]["seconds"], 3)
        ] * 2
    assert sum(half["outcomes"]["complete"] for half in halves) == 6


def test_an_empty_time_is_all_zeroes(world: World) -> None:
    assert report(world) == {
        "suno": {
            "submissions": 0,
            "retries": 0,
            "ttfp": NOTHING,
            "ttfc": NOTHING,
            "ttfc_slow": 0,
            "ttfc_measured": 0,
        },
        "listener": LIVED_NOTHING,
        "timeouts": {"measured": 0, "timed_out": 0},
        "outcomes": {"complete": 0, "linked": 0, "errors": {}, "refusals": {}}
        | {"refused_words": {}, "messengers": {}, "put_off": {}},
        "costs": {"runs": 0, "kept": 0, "under_way": 0, "wasted": {}},
        "reserve": 0,
        "statuses": {"runs": {}, "segments": {}},
        "briefs": {"briefs_written": 0, "briefs_curated": {}}
        | {"tokens_used": 0, "tokens_wasted": {}},
        "rolled_up": [],
    }


def test_the_busiest_users_are_named_as_the_runbook_does(world: World) -> None:
    for owner, count in ((OWNER, 3), (STRANGER, 1)):
        for _ in range(count):
            tell(world, owner=owner)
    tell(world, owner=STRANGER, start=START - timedelta(days=8))
    found = world.service.call("report_top_users", since=START - timedelta(days=7), limit=10)
    assert found == [
        {"user_id": str(OWNER), "runs": 3},
        {"user_id": str(STRANGER), "runs": 1},
    ]


def test_a_brief_that_is_being_written_is_nobodys_yet(world: World) -> None:
    begun = Jsonb({"brief_source": "curated", "brief_reason": "being_written"})
    for minutes in (0, 5):
        world.postgres.do(
            "update public.parcours_runs set metadata = %s,"
            " created_at = now() - make_interval(mins => %s) where id = %s",
            begun,
            minutes,
            tell(world),
        )
    # The older one's create has died.
    assert report(world)["briefs"]["briefs_curated"] == {"being_written": 1}


def test_briefs_are_counted_by_who_wrote_them_and_why_openai_did_not(world: World) -> None:
    sources: list[dict[str, object]] = [
        {"brief_source": "openai", "brief_model": "gpt-4o-mini", "openai_tokens": 1500},
        {"brief_source": "openai", "brief_model": "gpt-4o-mini", "openai_tokens": 1700},
        {"brief_source": "curated", "brief_reason": "rate_limit"},
        {"brief_source": "curated", "brief_reason": "unfit", "openai_tokens": 1600},
        {"brief_source": "curated", "brief_reason": "no_key"},
        {},
    ]
    for metadata in sources:
        world.postgres.do(
            "update public.parcours_runs set metadata = %s where id = %s",
            Jsonb(metadata),
            tell(world),
        )
    assert report(world)["briefs"] == {
        "briefs_written": 2,
        "briefs_curated": {"rate_limit": 1, "unfit": 1, "no_key": 1},
        "tokens_used": 3200,
        "tokens_wasted": {"unfit": 1600},
    }
