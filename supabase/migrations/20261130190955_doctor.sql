-- What the doctor finds. Every answer is a page: whoever wants all asks again behind the last id.

-- Is the run active, with a message in the queue? A queue can be emptied by hand.
create function parcours.is_active(p_run_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from parcours.active_runs as active
      join pgmq.q_parcours_generation as job on job.msg_id = active.msg_id
     where active.run_id = p_run_id);
$$;

-- Also one that is a dead letter: that is for the doctor to send again.
create function parcours.has_store_job(p_segment public.parcours_segments) returns boolean
language sql stable set search_path = '' as $$
  select exists (select from pgmq.q_parcours_tracks as job
                  where parcours.is_its_job(p_segment, job.message))
      or exists (select from parcours.dead_letters as job
                  where parcours.is_its_job(p_segment, job.message));
$$;

create function parcours.is_dead_letter(p_run_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select exists (select from parcours.dead_letters
                  where queue = 'parcours_generation' and reason = 'broke'
                    and message->>'run_id' = p_run_id::text);
$$;

-- Since when the present attempt has been under way.
create function parcours.under_way_since(p_segment public.parcours_segments) returns timestamptz
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce((p_segment.metadata->>'claimed_at')::timestamptz,
                  (p_segment.metadata->>'first_received_at')::timestamptz, p_segment.created_at);
end;
$$;

-- since: when it failed, was claimed, or became complete. code, message: Suno's, of the failure.
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
    'code', p_segment.metadata->'failure'->'code',
    'message', p_segment.metadata->'failure'->'message',
    'since', case p_segment.status
      when 'failed' then coalesce((p_segment.metadata->'failure'->>'at')::timestamptz,
                                  p_segment.created_at)
      when 'complete' then coalesce(
        (select max(happened_at) from public.parcours_events
          where run_id = p_segment.run_id and segment_id = p_segment.id
            and what = 'segment.complete'),
        (p_segment.metadata->>'complete_received_at')::timestamptz)
      else parcours.under_way_since(p_segment) end,
    'refused', p_segment.metadata->'refused_prompts'->-1->'message',
    'attempts', parcours.attempts(p_segment));
$$;

-- Segments of one kind, behind p_after:
--   stuck       composed for longer than stuck_s, and nothing delivered
--   unstored    delivered longer than stuck_s ago, and no job to store it
--   not_stored  complete without a file, not tried again within restore_pause_s and not lost
--   failed      within failed_age_s, of runs that are not cancelled
create function public.find_segments(
  p_kind text, p_limits_id bigint, p_after uuid default null, p_limit integer default 200
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  behind uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  found_ids uuid[];
begin
  if p_kind = 'stuck' then
    found_ids := array(
      select segment.id from public.parcours_segments as segment
       where segment.status in ('generating', 'first') and segment.id > behind
         and not parcours.is_storing(segment)
         and parcours.under_way_since(segment) < now() - make_interval(secs => limits.stuck_s)
       order by segment.id limit p_limit);
  elsif p_kind = 'unstored' then
    found_ids := array(
      select segment.id from public.parcours_segments as segment
       -- parcours.is_storing, as idx_segments_storing has it.
       where segment.status <> 'complete' and segment.metadata ? 'complete_received_at'
         and segment.id > behind
         and (segment.metadata->>'complete_received_at')::timestamptz
             < now() - make_interval(secs => limits.stuck_s)
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
             < now() - make_interval(secs => limits.restore_pause_s)
       order by segment.id limit p_limit);
  elsif p_kind = 'failed' then
    found_ids := array(
      select segment.id from public.parcours_segments as segment
        join public.parcours_runs as run on run.id = segment.run_id
       where segment.status = 'failed' and segment.id > behind
         and not parcours.is_storing(segment)
         and coalesce((segment.metadata->'failure'->>'at')::timestamptz, run.created_at)
             > now() - make_interval(secs => limits.failed_age_s)
         and not parcours.is_cancelled(run)
         and not (coalesce((segment.metadata->'failure'->>'again')::boolean, false)
                  and parcours.is_active(run.id))
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

-- Runs of one kind, behind p_after: {id, created_at, since: when something last happened}.
--   unheld         begun, not over, and nobody looks after them; nor are they dead letters
--   never_started  created longer than stuck_s ago, and nobody asked for the music
--   ownerless      whose user is no more
create function public.find_runs(
  p_kind text, p_limits_id bigint, p_after uuid default null, p_limit integer default 200
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  behind uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  found_ids uuid[];
begin
  if p_kind = 'unheld' then
    found_ids := array(
      select run.id from public.parcours_runs as run
       where run.status = 'creating' and run.id > behind and not parcours.is_active(run.id)
         and not parcours.is_dead_letter(run.id)
         and (exists (select from public.parcours_events
                       where run_id = run.id and what = 'run.started')
              or exists (select from public.parcours_segments
                          where run_id = run.id and status in ('generating', 'first')))
       order by run.id limit p_limit);
  elsif p_kind = 'never_started' then
    found_ids := array(
      select run.id from public.parcours_runs as run
       where run.status = 'creating' and run.id > behind
         and run.created_at < now() - make_interval(secs => limits.stuck_s)
         and run.created_at > now() - make_interval(secs => limits.failed_age_s)
         and not exists (
           select from public.parcours_events as event
            where event.run_id = run.id and (
              event.what = 'run.started'
              -- Create itself claims the first segment of a run whose brief is being written.
              or event.what = 'segment.claimed' and event.segment_id is distinct from (
                select segment.id from public.parcours_segments as segment
                 where segment.run_id = run.id and segment.segment_index = 0
                   and exists (select from public.parcours_events
                                where run_id = run.id and what = 'run.created'
                                  and detail->>'brief_source' = 'being_written'))))
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
    select coalesce(jsonb_agg(jsonb_build_object(
             'id', run.id, 'created_at', run.created_at, 'since', coalesce(
               (select max(happened_at) from public.parcours_events where run_id = run.id),
               run.created_at)) order by run.id), '[]')
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
language plpgsql stable security definer set search_path = '' as $$
declare
  ours constant text := '^(runs/[0-9a-f-]{36}|reserve/[a-z0-9-]+)/[0-9a-f-]{36}\.mp3$';
  looked constant text[] := array(
    select name from storage.objects
     where bucket_id = 'parcours-tracks' and name > p_after order by name limit p_limit);
  -- Arrays, so that both are found by their index.
  named constant uuid[] := array(
    select parcours.as_uuid(left(split_part(name, '/', 3), 36)) from unnest(looked) as name);
begin
  return jsonb_build_object(
    'looked', cardinality(looked),
    'next', case when cardinality(looked) = p_limit then looked[p_limit] end,
    'found', (
      select coalesce(jsonb_agg(name order by name), '[]') from (
        select name from storage.objects
         where bucket_id = 'parcours-tracks' and name > p_after
           and name <= looked[cardinality(looked)]
           and created_at < now() - interval '1 hour'
        except
        select format('runs/%s/%s.mp3', run_id, id) from public.parcours_segments
         where id = any (named)
        except
        select parcours.reserve_path(piece) from parcours.reserve_pieces as piece) as unknown
       where name ~ ours));
end;
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

revoke execute on function parcours.is_active, parcours.has_store_job, parcours.is_dead_letter,
  parcours.under_way_since,
  parcours.describe_segment from public;
revoke execute on function public.find_segments, public.find_runs, public.scan_segments,
  public.scan_files, public.count_scans, public.read_migrations from public, anon, authenticated;
grant execute on function public.find_segments, public.find_runs, public.scan_segments,
  public.scan_files, public.count_scans, public.read_migrations to service_role;

-- What the doctor mends. Each is judged again here, under the lock of the run: it may be asked for
-- twice, by several, and beside live workers.

-- Makes a run active again; a message that was lost is sent anew. The run must be locked. False
-- when it was active, or nothing is left to do.
create function parcours.reactivate_run(p_run_id uuid, p_whole_run boolean, p_limits_id bigint)
returns boolean
language plpgsql set search_path = '' as $$
declare
  was_active boolean := parcours.is_active(p_run_id);
  step record;
begin
  perform parcours.activate_run(p_run_id, p_whole_run, p_limits_id);
  step := parcours.next_step(p_run_id);
  perform parcours.schedule_run(p_run_id);
  return not was_active and step.action <> 'settle';
end;
$$;

-- A run that has begun and that nobody looks after. PT404 unknown run.
create function public.reactivate_run(p_run_id uuid, p_limits_id bigint) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  run public.parcours_runs;
begin
  select * into run from public.parcours_runs where id = p_run_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown run';
  end if;
  if run.status <> 'creating' or parcours.is_active(p_run_id) then
    return false;
  end if;
  return parcours.reactivate_run(
    p_run_id,
    not parcours.is_cancelled(run)
      and exists (select from public.parcours_events
                   where run_id = p_run_id and what = 'run.started'),
    limits.id);
end;
$$;

-- One more attempt of a locked segment, if it can do with one: with a new callback_token.
--   queued: it will be composed   under_way: it is, and not for too long   storing, complete
--   exhausted: every attempt is used up
create function parcours.retry_locked_segment(
  p_segment public.parcours_segments, p_limits parcours.limits
) returns text
language plpgsql set search_path = '' as $$
declare
  segment public.parcours_segments := p_segment;
begin
  if segment.status = 'complete' or segment.status = 'queued' then
    return segment.status;
  elsif parcours.is_storing(segment) then
    return 'storing';
  end if;
  if segment.status in ('generating', 'first') then
    if parcours.under_way_since(segment) > now() - make_interval(secs => p_limits.stuck_s) then
      return 'under_way';
    elsif parcours.is_exhausted(segment, p_limits) then
      return 'exhausted';
    end if;
    perform parcours.fail_attempt(segment, 'timeout', '{}', false);
    select * into segment from public.parcours_segments where id = segment.id;
  end if;
  if parcours.is_exhausted(segment, p_limits) then
    return 'exhausted';
  end if;
  perform parcours.requeue_segment(segment);
  return 'queued';
end;
$$;

-- A run or a segment is made again, as far as it failed or is stuck, and active. PT404
-- unknown; PT409 cancelled. Answers {run_id, segments: [{id, segment_index, outcome}]}.
create function public.retry(p_id uuid, p_limits_id bigint) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  run public.parcours_runs;
  whole_run_id uuid := (select id from public.parcours_runs where id = p_id);
  owner_id uuid := coalesce(
    whole_run_id, (select run_id from public.parcours_segments where id = p_id));
  segment public.parcours_segments;
  outcome text;
  outcomes jsonb := '[]';
begin
  select * into run from public.parcours_runs where id = owner_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown run or segment';
  elsif parcours.is_cancelled(run) then
    raise sqlstate 'PT409' using message = 'this run was cancelled';
  end if;

  for segment in
    select * from public.parcours_segments
     where run_id = owner_id and (whole_run_id is not null or id = p_id)
     order by segment_index for update
  loop
    outcome := parcours.retry_locked_segment(segment, limits);
    outcomes := outcomes || jsonb_build_object(
      'id', segment.id, 'segment_index', segment.segment_index, 'outcome', outcome);
  end loop;

  if outcomes @? '$[*] ? (@.outcome == "queued")' then
    update public.parcours_runs
       set metadata = metadata - array['retry_at', 'retry_reason', 'retries']
     where id = owner_id;
    perform parcours.resume_run(owner_id);
    perform parcours.log_event(owner_id, null, 'run.retried', jsonb_build_object(
      'segments', jsonb_array_length(jsonb_path_query_array(
        outcomes, '$[*] ? (@.outcome == "queued")'))));
  end if;
  if outcomes @? '$[*] ? (@.outcome != "complete" && @.outcome != "exhausted")' then
    perform parcours.reactivate_run(owner_id, true, limits.id);
  end if;
  return jsonb_build_object('run_id', owner_id, 'segments', outcomes);
end;
$$;

-- A delivered track whose job is lost is stored after all. Where the address was not kept, a new
-- attempt is made. 'sent', 'failed', or 'late' when there is nothing to mend any more.
create function public.requeue_track(p_segment_id uuid, p_token uuid) returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_attempt(p_segment_id, p_token);
begin
  if segment.id is null or not parcours.is_storing(segment)
     or parcours.has_store_job(segment) then
    return 'late';
  end if;
  if not segment.metadata ? 'suno_download_url' then
    perform parcours.fail_attempt(segment, 'track_unavailable',
      '{"message": "the job to store it was lost"}', true);
    perform parcours.schedule_run(segment.run_id, p_ended => true);
    return 'failed';
  end if;
  perform pgmq.send('parcours_tracks', jsonb_build_object(
    'kind', 'store', 'run_id', segment.run_id, 'segment_id', segment.id,
    'callback_token', segment.callback_token, 'task_id', segment.suno_task_id,
    'track_id', coalesce(segment.metadata->'delivered_track_id',
                         segment.metadata->'suno_track_id'),
    'download_url', segment.metadata->'suno_download_url', 'trusted', true,
    'others', case when segment.metadata ? 'suno_second_download_url'
                   then jsonb_build_array(jsonb_build_object(
                     'id', segment.metadata->'suno_second_track_id',
                     'download_url', segment.metadata->'suno_second_download_url',
                     'trusted', true))
                   else '[]' end));
  return 'sent';
end;
$$;

-- A complete segment has its file (again): at p_storage_path, or only at p_final_url (see
-- docs/specification.md#storing-a-track). 'gone' when the segment was erased meanwhile.
create function public.record_restored(
  p_segment_id uuid, p_storage_path text, p_final_url text default null,
  p_loudness_lufs numeric default null, p_true_peak_dbtp numeric default null,
  p_sound_end_seconds numeric default null
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_segment(p_segment_id);
begin
  if segment.id is null then
    return 'gone';
  elsif segment.status <> 'complete' then
    return 'late';
  end if;
  update public.parcours_segments
     set storage_path = p_storage_path,
         final_url = case when p_storage_path is null then p_final_url end,
         metadata = (metadata - array['track_lost_at', 'restore_tried_at', 'sound_end_seconds'])
           || jsonb_strip_nulls(jsonb_build_object(
                'loudness_lufs', p_loudness_lufs, 'true_peak_dbtp', p_true_peak_dbtp,
                'sound_end_seconds', p_sound_end_seconds))
           || case when p_storage_path is null
                   then jsonb_build_object('restore_tried_at', clock_timestamp()) else '{}' end
   where id = segment.id;
  if p_storage_path is not null then
    perform parcours.log_event(segment.run_id, segment.id, 'segment.restored');
  end if;
  return 'restored';
end;
$$;

-- It could not be restored this time; p_lost: nor will it ever be.
create function public.record_unrestored(p_segment_id uuid, p_lost boolean) returns void
language sql security definer set search_path = '' as $$
  update public.parcours_segments
     set metadata = metadata || jsonb_build_object('restore_tried_at', clock_timestamp())
           || case when p_lost then jsonb_build_object('track_lost_at', clock_timestamp())
                   else '{}' end
   where id = p_segment_id and status = 'complete';
$$;

revoke execute on function parcours.reactivate_run, parcours.retry_locked_segment from public;
revoke execute on function public.reactivate_run, public.retry, public.requeue_track,
  public.record_restored, public.record_unrestored from public, anon, authenticated;
grant execute on function public.reactivate_run, public.retry, public.requeue_track,
  public.record_restored, public.record_unrestored to service_role;

-- Are access and bucket as the migrations made them? Somebody may have clicked in a dashboard.
-- Answers what is not so, in words; an empty list when all is well.

create function parcours.inspect_tables() returns setof text
language sql stable set search_path = '' as $$
  with expected (name, role, privilege) as (
    values ('parcours_runs', 'authenticated', 'SELECT'),
           ('parcours_segments', 'authenticated', 'SELECT'),
           ('parcours_runs', 'service_role', 'SELECT'),
           ('parcours_segments', 'service_role', 'SELECT'),
           ('parcours_events', 'service_role', 'SELECT')
  ), ours as (
    select oid, relname as name, relrowsecurity from pg_catalog.pg_class
     where relnamespace = 'public'::regnamespace
       and relname in ('parcours_runs', 'parcours_segments', 'parcours_events', 'feature_flags')
  )
  select format('row level security is off on %s', name) from ours where not relrowsecurity
  union all
  select format('%s lacks %s on %s', role, lower(privilege), expected.name)
    from expected join ours using (name)
   where not has_table_privilege(role, ours.oid, privilege)
  union all
  select format('%s may %s %s', role, lower(privilege), ours.name)
    from ours,
         unnest(array['anon', 'authenticated']) as role,
         unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege
   where has_table_privilege(role, ours.oid, privilege)
     and (ours.name, role, privilege) not in (select name, expected.role, expected.privilege
                                                from expected)
  union all
  -- What is granted of single columns: owners write how they feel, and nothing else.
  select format('%s %s %s of %s', role, case when may then 'may write' else 'may not write' end,
                attname, ours.name)
    from ours
    join pg_catalog.pg_attribute on attrelid = ours.oid and attnum > 0 and not attisdropped,
         unnest(array['anon', 'authenticated']) as role,
         lateral (values (has_column_privilege(role, ours.oid, attnum, 'UPDATE'))) as asked (may)
   where may is distinct from (ours.name = 'parcours_runs' and role = 'authenticated'
                               and attname in ('suds_start', 'suds_mid', 'suds_end'))
     and not has_table_privilege(role, ours.oid, 'UPDATE');
$$;

create function parcours.inspect_policies() returns setof text
language sql stable set search_path = '' as $$
  with expected (tablename, policyname) as (
    values ('parcours_runs', 'Owners read their runs'),
           ('parcours_runs', 'Owners write their SUDS'),
           ('parcours_segments', 'Owners read the segments of their runs')
  ), found as (
    select tablename, policyname from pg_catalog.pg_policies
     where schemaname = 'public'
       and tablename in ('parcours_runs', 'parcours_segments', 'parcours_events',
                         'feature_flags')
  )
  select format('the policy "%s" on %s is missing', policyname, tablename)
    from (select tablename, policyname from expected except select * from found) as missing
  union all
  select format('the policy "%s" on %s is none of ours', policyname, tablename)
    from (select * from found except select tablename, policyname from expected) as foreign_one
  union all
  select format('the policy "%s" on %s says something else', policyname, tablename)
    from pg_catalog.pg_policies join expected using (tablename, policyname)
   where schemaname = 'public'
     and not (roles = '{authenticated}' and qual like '%auth.uid()%'
              and cmd = case policyname when 'Owners write their SUDS' then 'UPDATE'
                                        else 'SELECT' end
              and (cmd = 'SELECT' or with_check like '%auth.uid()%'))
  union all
  select format('the policy "%s" on the files opens the bucket', policyname)
    from pg_catalog.pg_policies
   where schemaname = 'storage' and tablename = 'objects' and permissive = 'PERMISSIVE'
     and not (coalesce(qual, '') || coalesce(with_check, '') like '%service_role%')
     and not (coalesce(qual, with_check) like '%bucket_id%'
              and coalesce(qual, '') || coalesce(with_check, '') not like '%parcours-tracks%')
  union all
  select 'the policy of the bucket is missing'
   where not exists (select from pg_catalog.pg_policies
                      where schemaname = 'storage' and tablename = 'objects'
                        and policyname = 'Service role can manage all tracks');
$$;

-- A function of ours is one that runs as its owner and reaches our schema.
create function parcours.inspect_functions() returns setof text
language sql stable set search_path = '' as $$
  select format('%s may call %s', role, proname)
    from pg_catalog.pg_proc, unnest(array['anon', 'authenticated']) as role
   where pronamespace = 'public'::regnamespace and prosecdef
     and (prosrc like '%parcours%' or prosrc like '%pgmq%')
     and has_function_privilege(role, pg_proc.oid, 'execute')
  union all
  select format('%s may enter the schema %s', role, nspname)
    from pg_catalog.pg_namespace, unnest(array['anon', 'authenticated', 'service_role']) as role
   where nspname = 'parcours' and has_schema_privilege(role, pg_namespace.oid, 'usage');
$$;

create function parcours.inspect_bucket() returns setof text
language sql stable set search_path = '' as $$
  select 'the bucket parcours-tracks is missing'
   where not exists (select from storage.buckets where id = 'parcours-tracks')
  union all
  select said from storage.buckets, lateral (
    values (case when public then 'the bucket is public: anybody may listen' end),
           (case when file_size_limit is distinct from 52428800
                 then format('the bucket takes files of %s bytes instead of 50 MB',
                             coalesce(file_size_limit::text, 'any number of')) end),
           (case when not allowed_mime_types @> array['audio/mpeg', 'audio/wav']
                 then 'the bucket does not take audio/mpeg and audio/wav' end)
  ) as judged (said)
   where id = 'parcours-tracks' and said is not null;
$$;

create function public.inspect_access() returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(said), '[]') from (
    select * from parcours.inspect_tables() as said
    union all select * from parcours.inspect_policies()
    union all select * from parcours.inspect_functions()
    union all select * from parcours.inspect_bucket()) as everything (said);
$$;

revoke execute on function parcours.inspect_tables, parcours.inspect_policies,
  parcours.inspect_functions, parcours.inspect_bucket from public;
revoke execute on function public.inspect_access from public, anon, authenticated;
grant execute on function public.inspect_access to service_role;
