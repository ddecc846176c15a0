"""What is true of every run at every moment, whoever did what and in whatever order."""

from parcours_xl.domain.states import RUN_TRANSITIONS, SEGMENT_TRANSITIONS, RunStatus, SegmentStatus
from tests.sql.callers import Caller, Row

# What an event calls a change, where that is not the status itself.
WORDS = {"segment.requeued": "queued", "run.resumed": "creating"}

PENDING = ("queued", "generating", "first")
LEASE_S_MAX, CLOCK_S = 60, 2

SEGMENTS = """
select segment.*,
       status <> 'complete' and metadata ? 'complete_received_at' as storing,
       coalesce((metadata->'failure'->>'again')::boolean, false) as again,
       (select count(*)
          from (select message from pgmq.q_parcours_tracks
                union all select message from parcours.dead_letters) as job
         where parcours.is_its_job(segment, job.message)) as jobs,
       exists (select from public.parcours_events as event
                 where event.segment_id = segment.id and what = 'segment.submitted'
                   and detail ? 'instead_of') as undone
  from public.parcours_segments as segment
"""

RUNS = """
select run.id, run.status, parcours.is_cancelled(run) as cancelled,
       hand.msg_id is not null as in_hand, hand.whole_run,
       array(select msg_id from pgmq.q_parcours_generation
              where (message->>'run_id')::uuid = run.id) as messages,
       hand.msg_id as held_message, parcours.is_dead_letter(run.id) as broke,
       step.action, step.due_at = 'infinity' as without_end,
       extract(epoch from queued.vt - greatest(clock_timestamp(), step.due_at))::float as late_s
  from public.parcours_runs as run
  left join parcours.active_runs as hand on hand.run_id = run.id
  left join pgmq.q_parcours_generation as queued on queued.msg_id = hand.msg_id
  left join lateral parcours.next_step(run.id) as step on hand.msg_id is not null
"""


def check(postgres: Caller) -> None:
    """Every invariant, over the whole database, in one snapshot."""
    with postgres.connection.transaction():
        postgres.do("set transaction isolation level repeatable read read only")
        runs, segments = postgres.rows(RUNS), postgres.rows(SEGMENTS)
        events = postgres.rows("select * from public.parcours_events order by id")
    for segment in segments:
        check_segment(segment)
        told = [event for event in events if event["segment_id"] == segment["id"]]
        check_segment_events(segment, told)
    tokens = [segment["callback_token"] for segment in segments if segment["callback_token"]]
    assert len(tokens) == len(set(tokens)), "a token is one attempt's alone"
    for run in runs:
        its_own = [segment for segment in segments if segment["run_id"] == run["id"]]
        check_status(run, its_own)
        check_hand(run, its_own)
        if run["cancelled"]:
            check_cancelled(run, its_own, [e for e in events if e["run_id"] == run["id"]])
        check_run_events(
            run, [e["what"] for e in events if e["run_id"] == run["id"] and not e["segment_id"]]
        )


def check_segment(segment: Row) -> None:
    status, facts = segment["status"], segment["metadata"]
    assert facts["planned_seconds"] == 360, "what was planned never changes"
    assert (status == "complete") == (segment["callback_token"] is None)
    assert (status == "failed") == ("failure" in facts)
    assert segment["jobs"] == 1 or not segment["storing"], "what is being stored has its job"
    if status == "complete":
        assert segment["storage_path"] or segment["final_url"]
    if status == "queued":
        kept = {"title", "planned_seconds", "attempts", "renewals"}
        assert set(facts) <= kept, "nothing is left of the attempt before"
        assert segment["suno_task_id"] is None
        assert segment["preview_url"] is None
    elif status != "failed" or segment["suno_task_id"]:
        assert facts["attempts"] >= 1
    # What a callback told of another task than the submission's is undone, but not the status.
    if status == "first" and not segment["undone"]:
        assert segment["preview_url"]
        assert facts["first_received_at"]
    if "next_try_at" in facts:
        assert (status, segment["suno_task_id"]) == ("generating", None)
        assert "heard_at" not in facts


def check_status(run: Row, segments: list[Row]) -> None:
    pending = [s for s in segments if s["status"] in PENDING]
    # A failed run may be healed: by music that came late, or by the attempt after it.
    healing = [s for s in segments if s["status"] == "failed" and (s["storing"] or s["again"])]
    complete = all(segment["status"] == "complete" for segment in segments)
    assert (run["status"] == "ready") == complete
    if run["status"] == "creating":
        assert pending or healing, "a run that is over says so"
    if run["status"] == "failed":
        assert not pending, "a run that is not over does not say so"


def check_hand(run: Row, segments: list[Row]) -> None:
    held = [run["held_message"]] if run["in_hand"] else []
    if run["in_hand"] and run["broke"] and not run["messages"]:
        return  # The doctor finds it, and sends it again.
    assert run["messages"] == held, "a run in hand has one message, any other none"
    if not run["in_hand"]:
        assert not any(s["again"] for s in segments), "what is promised has somebody to do it"
        assert not any(
            s["status"] in ("generating", "first") and not s["storing"] for s in segments
        )
        return
    pending = any(s["status"] in PENDING or s["storing"] or s["again"] for s in segments)
    if run["whole_run"] and pending:
        assert run["action"] in ("submit", "ask", "retry", "give_up", "wait"), "nothing is stuck"
    if run["without_end"]:
        assert any(s["storing"] for s in segments), "only what is being stored waits without end"
    else:
        assert run["late_s"] <= LEASE_S_MAX + CLOCK_S, "the message comes when the step is due"


def check_cancelled(run: Row, segments: list[Row], events: list[Row]) -> None:
    """Nothing is bought for it, and nothing waits to be."""
    assert not run["whole_run"]
    assert not any(s["status"] == "queued" or s["again"] for s in segments)
    after = events[max(place for place, e in enumerate(events) if e["what"] == "run.cancelled") :]
    assert not any(event["what"] == "segment.claimed" for event in after)


def check_segment_events(segment: Row, events: list[Row]) -> None:
    """What was told adds up to what is, one allowed move after the other."""
    status, attempts, storing = SegmentStatus.QUEUED, 0, False
    for event in events:
        before = status
        match event["what"]:
            case "segment.claimed":
                status, attempts = SegmentStatus.GENERATING, event["detail"]["attempt"]
            case "segment.first" if not storing:
                status = SegmentStatus.FIRST
            case "segment.delivered":
                assert not storing, "an attempt is delivered once"
                storing = True
            case "segment.submitted" if "instead_of" in event["detail"]:
                storing = False
            case "segment.complete" | "segment.failed" | "segment.requeued" as what:
                status = SegmentStatus(WORDS.get(what, what.removeprefix("segment.")))
                storing = False
        assert status == before or status in SEGMENT_TRANSITIONS[before]
    assert (status, storing) == (segment["status"], segment["storing"])
    assert attempts == segment["metadata"].get("attempts", 0)


def check_run_events(run: Row, told: list[str]) -> None:
    status = RunStatus.CREATING
    for what in told:
        if what in ("run.ready", "run.failed", "run.resumed"):
            after = RunStatus(WORDS.get(what, what.removeprefix("run.")))
            assert after in RUN_TRANSITIONS[status], "a change is told once, and is allowed"
            status = after
    assert status == run["status"]
