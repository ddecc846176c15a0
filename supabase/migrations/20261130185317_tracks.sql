-- A delivered track is stored, or the segment fails; the owner may have it signed. See
-- docs/specification.md#storing-a-track.

-- Takes due jobs for so many seconds; one that cannot be read, or that breaks whoever takes it,
-- becomes a dead letter. Of a store job: 'current' is false when the attempt is over, and it is to
-- be finished without a transfer; 'gone' says that its segment was erased, and what may have been
-- stored is to be deleted; 'announced_seconds' is how long Suno says the track is, 'delivered_s'
-- how long ago it said that it is complete. Of an erase job: 'current' says that there is still
-- something to erase. p_reserved: so many of p_quantity are taken for nobody who has asked for more
-- than a journey lately.
create function public.take_track_jobs(
  p_quantity integer, p_lease_s integer, p_reserved integer default 0
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job record;
  jobs jsonb := '[]';
begin
  perform parcours.queue_erasures();
  -- Judged in statements of their own: one that began before the queue was read would not see the
  -- segment of a job that was committed in between, and the track would be lost.
  for job in
    select * from parcours.take_due_tracks(greatest(0, p_quantity - p_reserved), p_lease_s)
    union all
    select * from parcours.take_due_tracks(
      least(p_quantity, p_reserved), p_lease_s, parcours.asked_for_a_journey())
  loop
    if not parcours.is_track_job(job.message) then
      perform parcours.dead_letter('parcours_tracks', job.msg_id, 'unreadable');
    elsif parcours.failed_deliveries(job.read_ct, job.message)
          > parcours.failed_deliveries_max() then
      perform parcours.dead_letter('parcours_tracks', job.msg_id, 'broke');
    else
      jobs := jobs || (job.message || jsonb_build_object(
        'msg_id', job.msg_id, 'read_ct', job.read_ct) || parcours.judge_track_job(job.message));
    end if;
  end loop;
  return jobs;
end;
$$;

-- Is a message what a worker can read?
create function parcours.is_track_job(p_message jsonb) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(parcours.as_uuid(p_message->>'run_id') is not null
    and case p_message->>'kind'
          when 'erase' then true
          when 'store' then parcours.as_uuid(p_message->>'segment_id') is not null
            and parcours.as_uuid(p_message->>'callback_token') is not null
            and jsonb_typeof(p_message->'download_url') = 'string'
            and jsonb_typeof(p_message->'trusted') = 'boolean'
            and coalesce(jsonb_typeof(p_message->'task_id'), 'null') in ('string', 'null')
            and coalesce(jsonb_typeof(p_message->'track_id'), 'null') in ('string', 'null')
        end, false)
    and coalesce(jsonb_typeof(p_message->'request_id'), 'null') in ('string', 'null')
    and coalesce(jsonb_typeof(p_message->'trace'), 'null') in ('string', 'null');
end;
$$;

-- The attempt that a store job means is the segment's, and of its task.
create function parcours.is_its_job(p_segment public.parcours_segments, p_message jsonb)
returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return p_message->>'kind' = 'store'
     and p_message->>'segment_id' = p_segment.id::text
     and p_message->>'callback_token' = p_segment.callback_token::text
     and (p_message->>'task_id' is null or p_segment.suno_task_id is null
          or p_message->>'task_id' = p_segment.suno_task_id);
end;
$$;

create function parcours.judge_track_job(p_message jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  segment public.parcours_segments;
begin
  if p_message->>'kind' = 'erase' then
    return jsonb_build_object('current', exists (
      select from parcours.erasures where run_id = (p_message->>'run_id')::uuid));
  end if;
  select * into segment from public.parcours_segments
   where id = (p_message->>'segment_id')::uuid;
  return jsonb_build_object(
    'announced_seconds', segment.duration_seconds, 'gone', segment.id is null,
    'delivered_s', extract(epoch from
      clock_timestamp() - (segment.metadata->>'complete_received_at')::timestamptz),
    'current', coalesce(parcours.is_storing(segment)
                        and parcours.is_its_job(segment, p_message), false));
end;
$$;

-- The music is kept: at p_storage_path, or (documented fallback) only at p_final_url. Answers
-- 'completed', 'late' (another attempt, or complete already), or 'gone' (erased meanwhile: what
-- was stored is to be deleted). Loudness in LUFS and true peak in dBTP, where they were measured;
-- p_sound_end_seconds where the sound ends, when silence follows. p_track_id: which track of the
-- task it is, and how long; another than the one that was heard takes the preview's place only now.
create function public.record_track(
  p_segment_id uuid, p_token uuid, p_storage_path text, p_final_url text default null,
  p_download_url text default null, p_loudness_lufs double precision default null,
  p_true_peak_dbtp double precision default null,
  p_sound_end_seconds double precision default null, p_track_id text default null,
  p_duration_seconds double precision default null
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_segment(p_segment_id);
  is_other boolean;
  event_id bigint;
  is_later boolean;
begin
  if segment.id is null then
    return 'gone';
  end if;
  if segment.callback_token is distinct from p_token or p_token is null
     or not parcours.is_storing(segment) then
    return 'late';
  end if;

  is_other := p_track_id <> coalesce(segment.metadata->>'suno_track_id', p_track_id);
  update public.parcours_segments
     set status = 'complete', storage_path = p_storage_path, final_url = p_final_url,
         callback_token = null,
         preview_url = case
           when not coalesce(is_other, false) then preview_url
           when metadata->>'suno_second_track_id' = p_track_id
             then metadata->>'suno_second_stream_url'
           when metadata->>'delivered_track_id' = p_track_id
             then metadata->>'delivered_stream_url' end,
         duration_seconds = coalesce(round(p_duration_seconds::numeric), duration_seconds),
         metadata = metadata - array['failure', 'whole_track', 'delivered_track_id',
                                      'delivered_stream_url']
           || jsonb_strip_nulls(jsonb_build_object(
           'suno_track_id', coalesce(p_track_id, metadata->>'suno_track_id'),
           'sound_end_seconds', p_sound_end_seconds,
           'suno_download_url',
             coalesce(p_download_url, p_final_url, metadata->>'suno_download_url'),
           'loudness_lufs', p_loudness_lufs, 'true_peak_dbtp', p_true_peak_dbtp))
   where id = segment.id;
  event_id := parcours.log_event(segment.run_id, segment.id, 'segment.complete',
    jsonb_build_object('stored', p_storage_path is not null));
  is_later := parcours.schedule_run(segment.run_id, p_ended => true);
  return 'completed';
end;
$$;

-- An attempt ends without music. 'timeout' keeps the token, since the music may still come, and
-- does nothing once Suno has delivered.
create function public.fail_segment(
  p_segment_id uuid, p_token uuid, p_reason text, p_detail jsonb default '{}',
  p_again boolean default false
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_attempt(p_segment_id, p_token);
begin
  if segment.id is null or segment.status = 'complete'
     or segment.status = 'failed' and not parcours.is_storing(segment)
     or p_reason = 'timeout' and parcours.is_storing(segment) then
    return 'late';
  end if;
  perform parcours.fail_attempt(segment, p_reason, p_detail, p_again);
  perform parcours.schedule_run(segment.run_id, p_ended => true);
  return 'failed';
end;
$$;

-- Where the owner's track is kept. PT404 unknown, PT403 somebody else's, PT409 not stored.
create function public.find_track(p_segment_id uuid, p_user_id uuid) returns text
language plpgsql stable security definer set search_path = '' as $$
declare
  track record;
begin
  perform parcours.check_account(p_user_id);
  select run.user_id, segment.status, segment.storage_path into track
    from public.parcours_segments as segment
    join public.parcours_runs as run on run.id = segment.run_id
   where segment.id = p_segment_id;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown segment';
  elsif track.user_id is distinct from p_user_id then
    raise sqlstate 'PT403' using message = 'this segment belongs to somebody else';
  elsif track.status <> 'complete' or track.storage_path is null then
    raise sqlstate 'PT409' using message = 'this segment has no stored track yet';
  end if;
  return track.storage_path;
end;
$$;

revoke execute on function parcours.is_track_job, parcours.is_its_job, parcours.judge_track_job
  from public;
revoke execute on function public.take_track_jobs, public.record_track, public.fail_segment,
  public.find_track from public, anon, authenticated;
grant execute on function public.take_track_jobs, public.record_track, public.fail_segment,
  public.find_track to service_role;
