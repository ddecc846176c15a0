"""Many runs in hand at once, and a record of when each deadline was served."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.deployment import Deployment
from parcours_xl.settings import Settings

SEGMENTS = 3

# Each time a message is read: what it was due for, and how long ago.
WATCH = """
create table public.bench_served (
  at timestamptz not null default clock_timestamp(), action text, late_s double precision
);
create function public.bench_note_served() returns trigger language plpgsql as $$
declare
  step record := parcours.next_step((new.message->>'run_id')::uuid);
  due_at timestamptz := case when step.action in ('ask', 'retry', 'give_up') then step.due_at
                             else old.vt end;
begin
  insert into public.bench_served (action, late_s)
  values (step.action, extract(epoch from clock_timestamp() - due_at));
  return null;
end;
$$;
create trigger bench_served after update on pgmq.q_parcours_generation
  for each row when (new.read_ct > old.read_ct) execute function public.bench_note_served();
"""

RUNS = """
with runs as (
  insert into public.parcours_runs (user_id, preset_key)
  select gen_random_uuid(), '00-universel-reset' from generate_series(1, %s) returning id
)
insert into public.parcours_segments (run_id, segment_index, prompt, metadata)
select id, place, 'Slow piano, 60 BPM',
       '{"title": "Une pièce", "planned_seconds": 300}'
  from runs, generate_series(0, %s - 1) as place
"""

HOLD = "select count(public.start_run(id, %s)) from public.parcours_runs where status = 'creating'"

# Attempts that Suno never answered: each becomes a new one, at a moment of its own.
UNANSWERED = """
with first as (
  select run.run_id, row_number() over (order by run.msg_id) as place
    from parcours.active_runs as run order by run.msg_id limit %(count)s
), claimed as (
  update public.parcours_segments as segment
     set status = 'generating',
         metadata = metadata || jsonb_build_object('attempts', 1, 'claimed_at',
           clock_timestamp() - make_interval(secs => %(unanswered_s)s)
             + make_interval(secs => first.place * %(seconds)s / %(count)s::double precision))
    from first
   where segment.run_id = first.run_id and segment.segment_index = 0
  returning segment.run_id
)
select count(*) from claimed
"""

SCHEDULE = "select count(parcours.schedule_run(run_id)) from parcours.active_runs"


def create_workload(deployment: Deployment, runs: int, deadlines: int, seconds: float) -> None:
    """Put so many runs in hand; the oldest have a deadline each, spread over so many seconds."""
    limits = read_limits(deployment)
    url = deployment.project.database_url("supabase_admin")
    with psycopg.connect(url, autocommit=True) as connection:
        # Which functions are called, and how often, is what the database counts for itself.
        connection.execute("alter system set track_functions = 'all'")
        connection.execute("select pg_reload_conf()")
    deployment.query(WATCH)
    deployment.query(RUNS, runs, SEGMENTS)
    [written] = deployment.query("select public.write_limits(%s) as id", Jsonb(limits))
    deployment.query(HOLD, written["id"])
    with psycopg.connect(deployment.project.database_url(), autocommit=True) as connection:
        wishes = {"count": deadlines, "seconds": seconds, "unanswered_s": limits["unanswered_s"]}
        connection.execute(UNANSWERED, wishes)
        connection.execute(SCHEDULE)


def read_limits(deployment: Deployment) -> dict[str, Any]:
    """The timings that the deployment's workers use."""
    environment = {name.lower(): value for name, value in deployment.environment.items()}
    return Settings.model_validate(environment).limits


def read_calls(deployment: Deployment) -> dict[str, int]:
    """How often each SQL function that the service and its workers call has been called."""
    rows = deployment.query(
        "select funcname, calls from pg_stat_user_functions where schemaname = 'public'"
    )
    return {
        row["funcname"]: row["calls"] for row in rows if not row["funcname"].startswith("bench_")
    }


def read_served(deployment: Deployment, since: Any) -> dict[str, dict[str, float]]:
    """Since a moment, for each kind of step: how many, and the worst delay in seconds."""
    rows = deployment.query(
        "select action, count(*) as served, max(late_s) as late_s from public.bench_served"
        " where at >= %s and late_s >= 0 group by action order by action",
        since,
    )
    return {
        row["action"]: {"served": row["served"], "worst_late_s": round(row["late_s"], 2)}
        for row in rows
    }
