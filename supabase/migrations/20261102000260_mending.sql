-- What the doctor mends. Each is judged again here, under the lock of the run: it may be asked for
-- twice, by several, and beside live workers.

-- Puts a run in hand again; a message that was lost is sent anew. The run must be locked. False
-- when it was in hand, or nothing is left to do.
create function parcours.hold_again(p_run_id uuid, p_whole_run boolean, p_limits jsonb)
returns boolean
language plpgsql set search_path = '' as $$
declare
  was_held boolean := parcours.is_held(p_run_id);
  step record;
begin
  perform parcours.hold_run(p_run_id, p_whole_run, case when parcours.is_cancelled(p_run_id)
    then p_limits || '{"attempts_automatic": 0}' else p_limits end);
  step := parcours.next_step(p_run_id);
  perform parcours.schedule_run(p_run_id);
  return not was_held and step.action <> 'settle';
end;
$$;

-- A run that has begun and that nobody looks after. PT404 unknown run.
create function public.hold_again(p_run_id uuid, p_limits jsonb) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  run public.parcours_runs;
begin
  select * into run from public.parcours_runs where id = p_run_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown run';
  end if;
  if run.status <> 'creating' or parcours.is_held(p_run_id) then
    return false;
  end if;
  return parcours.hold_again(
    p_run_id,
    not parcours.is_cancelled(p_run_id)
      and exists (select from public.parcours_events
                   where run_id = p_run_id and what = 'run.started'),
    p_limits);
end;
$$;

-- One more attempt of a locked segment, if it can do with one: with a new callback_token.
--   queued: it will be composed   under_way: it is, and not for too long   storing, complete
--   exhausted: every attempt is used up
create function parcours.retry_one(
  p_segment public.parcours_segments, p_limits jsonb
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
    if parcours.under_way_since(segment) > now() - parcours.seconds(p_limits, 'stuck_s') then
      return 'under_way';
    elsif parcours.is_exhausted(segment, p_limits) then
      return 'exhausted';
    end if;
    perform parcours.fail(segment, 'timeout', '{}', false);
    select * into segment from public.parcours_segments where id = segment.id;
  end if;
  if parcours.is_exhausted(segment, p_limits) then
    return 'exhausted';
  end if;
  perform parcours.renew(segment);
  return 'queued';
end;
$$;

-- A run or a segment is made again, as far as it failed or is stuck, and put in hand. PT404
-- unknown; PT409 cancelled. Answers {run_id, segments: [{id, segment_index, outcome}]}.
create function public.retry(p_id uuid, p_limits jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  whole_run_id uuid := (select id from public.parcours_runs where id = p_id);
  owner_id uuid := coalesce(
    whole_run_id, (select run_id from public.parcours_segments where id = p_id));
  segment public.parcours_segments;
  outcome text;
  outcomes jsonb := '[]';
begin
  perform from public.parcours_runs where id = owner_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown run or segment';
  elsif parcours.is_cancelled(owner_id) then
    raise sqlstate 'PT409' using message = 'this run was cancelled';
  end if;

  for segment in
    select * from public.parcours_segments
     where run_id = owner_id and (whole_run_id is not null or id = p_id)
     order by segment_index for update
  loop
    outcome := parcours.retry_one(segment, p_limits);
    outcomes := outcomes || jsonb_build_object(
      'id', segment.id, 'segment_index', segment.segment_index, 'outcome', outcome);
  end loop;

  if outcomes @? '$[*] ? (@.outcome == "queued")' then
    update public.parcours_runs
       set metadata = metadata - array['retry_at', 'retry_reason', 'retries']
     where id = owner_id;
    perform parcours.resume_run(owner_id);
    perform parcours.note(owner_id, null, 'run.retried', jsonb_build_object(
      'segments', jsonb_array_length(jsonb_path_query_array(
        outcomes, '$[*] ? (@.outcome == "queued")'))));
  end if;
  if outcomes @? '$[*] ? (@.outcome != "complete" && @.outcome != "exhausted")' then
    perform parcours.hold_again(owner_id, true, p_limits);
  end if;
  return jsonb_build_object('run_id', owner_id, 'segments', outcomes);
end;
$$;

-- A delivered track whose job is lost is stored after all. Where the address was not kept, a new
-- attempt is made. 'sent', 'failed', or 'late' when there is nothing to mend any more.
create function public.store_again(p_segment_id uuid, p_token uuid) returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_attempt(p_segment_id, p_token);
begin
  if segment.id is null or not parcours.is_storing(segment)
     or parcours.has_store_job(segment) then
    return 'late';
  end if;
  if not segment.metadata ? 'suno_download_url' then
    perform parcours.fail(segment, 'track_unavailable',
      '{"message": "the job to store it was lost"}', true);
    perform parcours.move_run(segment.run_id);
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

-- A complete segment has its file (again): at p_storage_path, or only at p_final_url (runbook,
-- '"Failed to sign URL"'). 'gone' when the segment was erased meanwhile.
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
    perform parcours.note(segment.run_id, segment.id, 'segment.restored');
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

revoke execute on function parcours.hold_again, parcours.retry_one from public;
revoke execute on function public.hold_again, public.retry, public.store_again,
  public.record_restored, public.record_unrestored from public, anon, authenticated;
grant execute on function public.hold_again, public.retry, public.store_again,
  public.record_restored, public.record_unrestored to service_role;
