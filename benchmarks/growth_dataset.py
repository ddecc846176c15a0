"""A deployment that has run for months, made in SQL: what growth is measured on."""

from typing import LiteralString

import psycopg

USERS_MAX = 20_000
DAYS = 89
"""So far back the runs go: within the default EVENTS_DAYS."""

# The seconds from a run's creation, and what happens of one run; index: of which segment.
# 30 events a run: its first segment failed once and was put off once.
STORY = """
create temp table story (index integer, at_s double precision, what text, detail jsonb);
insert into story values
  (null, 0, 'run.created', '{"segments": 4, "brief_source": "curated"}'),
  (null, 1, 'run.started', '{"pending": 4}'),
  (null, 24, 'run.put_off', '{"reason": "suno_busy"}'),
  (null, 984, 'run.ready', '{}'),
  (0, 2, 'segment.claimed', '{"attempt": 1}'), (0, 3, 'segment.submitted', '{}'),
  (0, 20, 'segment.failed', '{"reason": "suno_error", "attempt": 1, "again": true}'),
  (0, 21, 'segment.requeued', '{"attempts": 1}'),
  (0, 22, 'segment.claimed', '{"attempt": 2}'), (0, 23, 'segment.refused', '{"code": 430}'),
  (0, 26, 'segment.claimed', '{"attempt": 2}'), (0, 27, 'segment.submitted', '{}');
insert into story
select index, at_s + index * 240, what, detail
  from generate_series(0, 3) as index,
       (values (30, 'segment.claimed', '{"attempt": 1}'::jsonb), (31, 'segment.submitted', '{}'),
               (62, 'segment.first', '{"source": "callback"}'),
               (200, 'segment.delivered', '{"source": "callback"}'),
               (203, 'segment.complete', '{"stored": true}')) as told (at_s, what, detail)
 where index > 0 or what not in ('segment.claimed', 'segment.submitted');
"""

# Every twentieth run is the first user's; the others share the rest.
RUNS = """
create temp table grown as
select number, gen_random_uuid() as id,
       md5('user ' || case when number %% 20 = 0 then 0 else number %% %(users)s end)::uuid
         as user_id,
       now() - interval '25 minutes'
         - make_interval(days => %(days)s) * ((%(runs)s - number)::float / %(runs)s) as began
  from generate_series(1, %(runs)s) as number
"""
ROWS = """
insert into auth.users (id, email, created_at)
select user_id, user_id || '@example.org', min(began) from grown group by user_id;
insert into public.parcours_runs
  (id, user_id, preset_key, status, brief, metadata, created_at, updated_at)
select id, user_id, '00-universel-reset', 'ready', 'A calm journey.',
       '{"title": "Calm", "brief": {"fr": "a", "en": "b"}, "brief_source": "curated"}',
       began, began + interval '984 seconds'
  from grown order by began;
create temp table grown_segments as
select grown.id as run_id, grown.began, index, gen_random_uuid() as id
  from grown, generate_series(0, 3) as index;
insert into public.parcours_segments
  (id, run_id, segment_index, prompt, status, suno_task_id, preview_url, storage_path,
   duration_seconds, callback_token, metadata, created_at)
select id, run_id, index, 'Slow piano, 60 BPM, for a calm evening', 'complete', 'task-' || id,
       'https://cdn1.suno.ai/' || id || '.mp3', 'runs/' || run_id || '/' || id || '.mp3',
       300, null,
       jsonb_build_object('title', 'Calm', 'attempts', 1, 'planned_seconds', 300,
         'claimed_at', began, 'first_received_at', began, 'complete_received_at', began,
         'suno_track_id', gen_random_uuid(), 'loudness_lufs', -14.2),
       began
  from grown_segments order by began, index;
insert into public.parcours_events (run_id, segment_id, what, detail, happened_at)
select grown.id, segment.id, what, detail, grown.began + make_interval(secs => at_s)
  from grown cross join story
  left join grown_segments as segment
    on segment.run_id = grown.id and segment.index = story.index
 order by grown.began + make_interval(secs => at_s);
insert into storage.objects (bucket_id, name, created_at)
select 'parcours-tracks', 'runs/' || run_id || '/' || id || '.mp3', began
  from grown_segments order by began;
insert into parcours.recent_creations (created_at)
select began from grown where began > now() - interval '24 hours';
insert into parcours.creations (user_id, idempotency_key, request, run_id, created_at)
select user_id, number::text, '{"preset_key": "00-universel-reset"}', id, began
  from grown where began > now() - interval '24 hours';
insert into parcours.submissions (user_id, run_id, segment_id, credits, claimed_at)
select grown.user_id, grown.id, segment.id, 12, segment.began
  from grown join grown_segments as segment on segment.run_id = grown.id
 where grown.began > now() - interval '24 hours';
"""
# Beside them, one run in 5,000 is under way: its first segment sounds.
UNDER_WAY = """
with runs as (
  insert into public.parcours_runs (user_id, preset_key, created_at)
  select user_id, '00-universel-reset', now() - interval '2 minutes'
    from grown where number % 5000 = 1
  returning id
), segments as (
  insert into public.parcours_segments
    (run_id, segment_index, prompt, status, suno_task_id, preview_url, metadata)
  select id, index, 'Slow piano', case index when 0 then 'first' else 'queued' end,
         case index when 0 then 'task-' || id end,
         case index when 0 then 'https://cdn1.suno.ai/a.mp3' end,
         case index when 0 then jsonb_build_object(
           'attempts', 1, 'claimed_at', now() - interval '2 minutes',
           'first_received_at', now() - interval '1 minute') else '{}' end
    from runs, generate_series(0, 3) as index
), jobs as (
  select id, pgmq.send('parcours_generation', jsonb_build_object('run_id', id), 60) as msg_id
    from runs
), events as (
  insert into public.parcours_events (run_id, what, happened_at)
  select id, what, now() - interval '2 minutes'
    from runs, unnest(array['run.created', 'run.started']) as what
)
insert into parcours.active_runs (run_id, msg_id, whole_run, limits_id)
select id, msg_id, true, (select min(id) from parcours.limits) from jobs;
"""
TABLES: tuple[LiteralString, ...] = (
    "public.parcours_runs",
    "public.parcours_segments",
    "public.parcours_events",
    "storage.objects",
    "auth.users",
    "parcours.active_runs",
    "parcours.submissions",
    "parcours.recent_creations",
    "pgmq.q_parcours_generation",
)


def grow(url: str, runs: int) -> None:
    """So many finished runs, four segments and thirty events each, and their files' rows.

    url: a superuser's. Limits must have been written.
    """
    with psycopg.connect(url) as connection:
        # Neither triggers nor foreign keys: the rows are consistent as they are made.
        connection.execute("set session_replication_role = replica")
        connection.execute(STORY)
        numbers = {"runs": runs, "users": max(2, min(USERS_MAX, runs // 5)), "days": DAYS}
        connection.execute(RUNS, numbers)
        connection.execute("analyze grown")
        connection.execute(ROWS)
        connection.execute(UNDER_WAY)
    with psycopg.connect(url, autocommit=True) as connection:
        for table in TABLES:
            # As autovacuum leaves them: with statistics, and with its map of visible pages.
            connection.execute(f"vacuum (analyze) {table}".encode())
