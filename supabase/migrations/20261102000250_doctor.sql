-- What the doctor finds. Every answer is a page: whoever wants all asks again behind the last id.

-- Is the run in hand, with a message in the queue? A queue can be emptied by hand.
create function parcours.is_held(p_run_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from parcours.runs_in_hand as hand
      join pgmq.q_parcours_generation as job on job.msg_id = hand.msg_id
     where hand.run_id = p_run_id);
$$;

-- Also one that was set aside: that is for the doctor to send again.
create function parcours.has_store_job(p_segment public.parcours_segments) returns boolean
language sql stable set search_path = '' as $$
  select exists (select from pgmq.q_parcours_tracks as job
                  where parcours.is_its_job(p_segment, job.message))
      or exists (select from parcours.jobs_given_up as job
                  where parcours.is_its_job(p_segment, job.message));
$$;

create function parcours.is_set_aside(p_run_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select exists (select from parcours.jobs_given_up
                  where queue = 'parcours_generation' and reason = 'broke'
                    and message->>'run_id' = p_run_id::text);
$$;

-- Since when the present attempt has been under way.
create function parcours.under_way_since(p_segment public.parcours_segments) returns timestamptz
language sql immutable set search_path = '' as $$
  select coalesce((p_segment.metadata->>'claimed_at')::timestamptz,
                  (p_segment.metadata->>'first_received_at')::timestamptz, p_segment.created_at);
$$;

create function parcours.describe_segment(p_segment public.parcours_segments) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'id', p_segment.id, 'run_id', p_segment.run_id, 'segment_index', p_segment.segment_index,
    'callback_token', p_segment.callback_token, 'task_id', p_segment.suno_task_id,
    'track_id', p_segment.metadata->'suno_track_id', 'storage_path', p_segment.storage_path,
    'final_url', p_segment.final_url,
    'download_url', p_segment.metadata->'suno_download_url',
    'lost', p_segment.metadata ? 'track_lost_at',
    'reason', p_segment.metadata->'failure'->'reason',
    'refused', p_segment.metadata->'refused_prompts'->-1->'message',
    'attempts', parcours.attempts(p_segment));
$$;

-- Segments of one kind, behind p_after:
--   stuck       composed for longer than stuck_s, and nothing delivered
--   unstored    delivered longer than stuck_s ago, and no job to store it
--   not_stored  complete without a file, not tried again within restore_pause_s and not lost
--   failed      within failed_age_s, of runs that are not cancelled
create function public.find_segments(
  p_kind text, p_limits jsonb, p_after uuid default null, p_limit integer default 200
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  behind uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  found_ids uuid[];
begin
  if p_kind = 'stuck' then
    found_ids := array(
      select segment.id from public.parcours_segments as segment
       where segment.status in ('generating', 'first') and segment.id > behind
         and not parcours.is_storing(segment)
         and parcours.under_way_since(segment) < now() - parcours.seconds(p_limits, 'stuck_s')
       order by segment.id limit p_limit);
  elsif p_kind = 'unstored' then
    found_ids := array(
      select segment.id from public.parcours_segments as segment
       where segment.status <> 'complete' and segment.id > behind
         and parcours.is_storing(segment)
         and (segment.metadata->>'complete_received_at')::timestamptz
             < now() - parcours.seconds(p_limits, 'stuck_s')
         and not parcours.has_store_job(segment)
       order by segment.id limit p_limit);
  elsif p_kind = 'not_stored' then
    found_ids := array(
      select distinct segment.id from public.parcours_events as event
        join public.parcours_segments as segment on segment.id = event.segment_id
       where event.what = 'segment.complete' and event.detail->>'stored' = 'false'
         and segment.id > behind
         and segment.status = 'complete' and segment.storage_path is null
         and not segment.metadata ? 'track_lost_at'
         and coalesce((segment.metadata->>'restore_tried_at')::timestamptz, '-infinity')
             < now() - parcours.seconds(p_limits, 'restore_pause_s')
       order by segment.id limit p_limit);
  elsif p_kind = 'failed' then
    found_ids := array(
      select segment.id from public.parcours_segments as segment
        join public.parcours_runs as run on run.id = segment.run_id
       where segment.status = 'failed' and segment.id > behind
         and not parcours.is_storing(segment)
         and coalesce((segment.metadata->'failure'->>'at')::timestamptz, run.created_at)
             > now() - parcours.seconds(p_limits, 'failed_age_s')
         and not parcours.is_cancelled(run.id)
         and not (coalesce((segment.metadata->'failure'->>'again')::boolean, false)
                  and parcours.is_held(run.id))
       order by segment.id limit p_limit);
  else
    raise sqlstate 'PT400' using message = format('there is no kind %L', p_kind);
  end if;
  return (
    select coalesce(jsonb_agg(parcours.describe_segment(segment) order by segment.id), '[]')
      from public.parcours_segments as segment where segment.id = any (found_ids));
end;
$$;

create index idx_events_linked on public.parcours_events (segment_id)
  where what = 'segment.complete' and detail->>'stored' = 'false';

-- Runs of one kind, behind p_after: {id, created_at}.
--   unheld         begun, not over, and nobody looks after them; nor were they set aside
--   never_started  created longer than stuck_s ago, and nobody asked for the music
--   ownerless      whose user is no more
create function public.find_runs(
  p_kind text, p_limits jsonb, p_after uuid default null, p_limit integer default 200
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  behind uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  found_ids uuid[];
begin
  if p_kind = 'unheld' then
    found_ids := array(
      select run.id from public.parcours_runs as run
       where run.status = 'creating' and run.id > behind and not parcours.is_held(run.id)
         and not parcours.is_set_aside(run.id)
         and (exists (select from public.parcours_events
                       where run_id = run.id and what = 'run.started')
              or exists (select from public.parcours_segments
                          where run_id = run.id and status in ('generating', 'first')))
       order by run.id limit p_limit);
  elsif p_kind = 'never_started' then
    found_ids := array(
      select run.id from public.parcours_runs as run
       where run.status = 'creating' and run.id > behind
         and run.created_at < now() - parcours.seconds(p_limits, 'stuck_s')
         and run.created_at > now() - parcours.seconds(p_limits, 'failed_age_s')
         and not exists (select from public.parcours_events
                          where run_id = run.id and what in ('run.started', 'segment.claimed'))
       order by run.id limit p_limit);
  elsif p_kind = 'ownerless' then
    found_ids := array(
      select run.id from public.parcours_runs as run
       where run.id > behind
         and not exists (select from auth.users where id = run.user_id)
       order by run.id limit p_limit);
  else
    raise sqlstate 'PT400' using message = format('there is no kind %L', p_kind);
  end if;
  return (
    select coalesce(jsonb_agg(jsonb_build_object('id', run.id, 'created_at', run.created_at)
                              order by run.id), '[]')
      from public.parcours_runs as run where run.id = any (found_ids));
end;
$$;

-- Complete segments whose file is not there: never stored, or missing in the bucket. Looks at
-- p_limit segments behind p_after: {looked, next: where to go on, or null, found}.
create function public.scan_segments(p_after uuid default null, p_limit integer default 2000)
returns jsonb
language sql stable security definer set search_path = '' as $$
  with looked as (
    select segment.id, segment from public.parcours_segments as segment
     where id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
     order by id limit p_limit
  )
  select jsonb_build_object(
    'looked', (select count(*) from looked),
    'next', (select case when count(*) = p_limit then (array_agg(id order by id desc))[1] end
               from looked),
    'found', (
      select coalesce(jsonb_agg(parcours.describe_segment(segment) order by id), '[]')
        from looked
       where (segment).status = 'complete'
         and ((segment).storage_path is null or not exists (
           select from storage.objects
            where bucket_id = 'parcours-tracks' and name = (segment).storage_path))));
$$;

-- Files of ours that no segment knows, an hour old: {looked, next, found: paths}.
create function public.scan_files(p_after text default '', p_limit integer default 2000)
returns jsonb
language sql stable security definer set search_path = '' as $$
  with looked as (
    select name, created_at from storage.objects
     where bucket_id = 'parcours-tracks' and name > p_after
     order by name limit p_limit
  ), ours as (
    select name, created_at,
           regexp_match(name, '^runs/([0-9a-f-]{36})/([0-9a-f-]{36})\.mp3$') as ids
      from looked
  )
  select jsonb_build_object(
    'looked', (select count(*) from looked),
    'next', (select case when count(*) = p_limit then (array_agg(name order by name desc))[1] end
               from looked),
    'found', (
      select coalesce(jsonb_agg(name order by name), '[]') from ours
       where ids is not null and created_at < now() - interval '1 hour'
         and not exists (select from public.parcours_segments
                          where id::text = ids[2] and run_id::text = ids[1])));
$$;

-- How much there is to scan: {segments, files}, as far as the statistics know.
create function public.count_scans() returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'segments', (select greatest(reltuples, 0)::bigint from pg_catalog.pg_class
                  where oid = 'public.parcours_segments'::regclass),
    'files', (select greatest(reltuples, 0)::bigint from pg_catalog.pg_class
               where oid = 'storage.objects'::regclass));
$$;

-- Versions that were applied, as the Supabase CLI keeps them; null where it does not.
create function public.read_migrations() returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  versions jsonb;
begin
  if to_regclass('supabase_migrations.schema_migrations') is null then
    return null;
  end if;
  execute 'select jsonb_agg(version order by version) from supabase_migrations.schema_migrations'
    into versions;
  return versions;
end;
$$;

revoke execute on function parcours.is_held, parcours.has_store_job, parcours.is_set_aside,
  parcours.under_way_since,
  parcours.describe_segment from public;
revoke execute on function public.find_segments, public.find_runs, public.scan_segments,
  public.scan_files, public.count_scans, public.read_migrations from public, anon, authenticated;
grant execute on function public.find_segments, public.find_runs, public.scan_segments,
  public.scan_files, public.count_scans, public.read_migrations to service_role;
