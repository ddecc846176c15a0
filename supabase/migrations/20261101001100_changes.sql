-- The changes that several doors share. Lock order everywhere: run, segment, quota, queue row.

-- The segment, with its run locked before it; a row of nulls when there is none.
create function parcours.lock_segment(p_segment_id uuid) returns public.parcours_segments
language plpgsql set search_path = '' as $$
declare
  owner_id uuid;
  segment public.parcours_segments;
begin
  select run_id into owner_id from public.parcours_segments where id = p_segment_id;
  perform from public.parcours_runs where id = owner_id for update;
  select * into segment from public.parcours_segments where id = p_segment_id for update;
  return segment;
end;
$$;

-- Is the run over? Counted in a statement of its own, after the lock: two last segments that end
-- at once would otherwise each see the other as still pending.
create function parcours.settle_run(p_run_id uuid) returns text
language plpgsql set search_path = '' as $$
declare
  current_status text;
  settled_status text;
begin
  select status into current_status from public.parcours_runs where id = p_run_id for update;

  select case
           when bool_and(status = 'complete') then 'ready'
           when not bool_or(
             status in ('queued', 'generating', 'first')
             or parcours.is_storing(segment)
             or coalesce((metadata->'failure'->>'again')::boolean, false) and status = 'failed'
           ) then 'failed'
         end
    into settled_status
    from public.parcours_segments as segment where run_id = p_run_id;

  if settled_status is null or settled_status = current_status or current_status = 'ready' then
    return current_status;
  end if;
  update public.parcours_runs
     set status = settled_status, metadata = metadata - array['retry_at', 'retry_reason', 'retries']
   where id = p_run_id;
  perform parcours.note(p_run_id, null, 'run.' || settled_status);
  return settled_status;
end;
$$;

-- A failed run is made again.
create function parcours.resume_run(p_run_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  update public.parcours_runs set status = 'creating' where id = p_run_id and status = 'failed';
  if found then
    perform parcours.note(p_run_id, null, 'run.resumed');
  end if;
end;
$$;

-- A run waits until then: its owner reads metadata.retry_at, and why in metadata.retry_reason.
create function parcours.put_off_run(p_run_id uuid, p_until timestamptz, p_reason text)
returns void
language plpgsql set search_path = '' as $$
begin
  update public.parcours_runs
     set metadata = metadata
           || jsonb_build_object('retry_at', p_until, 'retry_reason', p_reason)
   where id = p_run_id;
  perform parcours.note(p_run_id, null, 'run.put_off',
    jsonb_build_object('reason', p_reason, 'until', p_until));
end;
$$;

-- When a segment that failed for a passing reason (Suno too busy, or out of service) is tried again
-- by itself: after the next of the limits' retry_later_s, a run's own pauses, while attempts are
-- left, the run is not cancelled, and its owner has asked for it within waits_s. Null: never.
create function parcours.next_retry_at(p_segment public.parcours_segments) returns timestamptz
language plpgsql stable set search_path = '' as $$
declare
  hand parcours.runs_in_hand;
  run public.parcours_runs;
begin
  select * into hand from parcours.runs_in_hand where run_id = p_segment.run_id;
  select * into run from public.parcours_runs where id = p_segment.run_id;
  if hand.run_id is null or not hand.whole_run or run.metadata ? 'cancelled_at'
     or hand.asked_at < clock_timestamp() - parcours.seconds(hand.limits, 'waits_s')
     or parcours.is_exhausted(p_segment, hand.limits) then
    return null;
  end if;
  return clock_timestamp() + make_interval(secs => (
    hand.limits->'retry_later_s'->>coalesce((run.metadata->>'retries')::integer, 0))::numeric);
end;
$$;

-- An attempt ends without music. It is made again without being asked while somebody holds the run:
-- p_again, at once, within the automatic attempts; p_passing, at the run's next pause.
create function parcours.fail(
  p_segment public.parcours_segments, p_reason text, p_detail jsonb, p_again boolean,
  p_passing boolean default false
) returns void
language plpgsql set search_path = '' as $$
declare
  retry_at timestamptz := case when p_passing then parcours.next_retry_at(p_segment) end;
  again boolean := retry_at is not null or p_again and exists (
    select from parcours.runs_in_hand
     where run_id = p_segment.run_id
       and parcours.attempts(p_segment) < parcours.limit_of(limits, 'attempts_automatic'));
  failure jsonb := jsonb_strip_nulls(p_detail) || jsonb_build_object('reason', p_reason);
begin
  update public.parcours_segments
     set status = 'failed',
         metadata = metadata - array['next_try_at', 'complete_received_at', 'suno_download_url',
                                     'whole_track', 'delivered_track_id', 'delivered_stream_url']
           || jsonb_build_object('failure', failure || jsonb_build_object(
                'at', clock_timestamp(), 'again', again))
   where id = p_segment.id;
  perform parcours.note(p_segment.run_id, p_segment.id, 'segment.failed',
    failure || jsonb_build_object('again', again, 'attempt', parcours.attempts(p_segment)));
  if p_reason = 'suno_content' then
    perform parcours.refuse_prompt(p_segment.id, p_detail);
  end if;
  if retry_at is not null then
    update public.parcours_runs
       set metadata = metadata || jsonb_build_object(
             'retries', coalesce((metadata->>'retries')::integer, 0) + 1)
     where id = p_segment.run_id;
    perform parcours.put_off_run(p_segment.run_id, retry_at, p_reason);
  end if;
end;
$$;

-- Suno refused the words that were sent: no later attempt sends them again. The worker takes the
-- next prompt by how many are kept here (services/generation); they outlive every new attempt.
create function parcours.refuse_prompt(p_segment_id uuid, p_detail jsonb) returns void
language sql set search_path = '' as $$
  update public.parcours_segments
     set metadata = metadata || jsonb_build_object(
           'refused_prompts', coalesce(metadata->'refused_prompts', '[]'::jsonb)
             || jsonb_build_array(
                  jsonb_strip_nulls(p_detail) || jsonb_build_object('at', clock_timestamp())))
   where id = p_segment_id;
$$;

-- A failed segment is queued for a new attempt: nothing is left of the old one but the counts. Its
-- token is nobody's until the claim makes another.
create function parcours.renew(p_segment public.parcours_segments) returns void
language plpgsql set search_path = '' as $$
begin
  update public.parcours_segments
     set status = 'queued', callback_token = gen_random_uuid(), suno_task_id = null,
         preview_url = null, final_url = null, storage_path = null, duration_seconds = null,
         metadata = (metadata - array[
           'claimed_at', 'heard_at', 'refusals', 'next_try_at', 'asked_at', 'ask_at', 'questions',
           'error_reported', 'task_unconfirmed', 'failure', 'first_received_at',
           'complete_received_at', 'suno_download_url', 'suno_track_id', 'suno_second_track_id',
           'suno_second_stream_url', 'suno_second_download_url', 'whole_track',
           'delivered_track_id', 'delivered_stream_url', 'sound_end_seconds'])
           || jsonb_build_object(
             'renewals', coalesce((metadata->>'renewals')::integer, 0) + 1)
   where id = p_segment.id;
  perform parcours.note(p_segment.run_id, p_segment.id, 'segment.requeued',
    jsonb_build_object('attempts', parcours.attempts(p_segment)));
end;
$$;

-- After a change: the run's status, then its next deadline.
create function parcours.move_run(p_run_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform parcours.settle_run(p_run_id);
  perform parcours.schedule_run(p_run_id);
end;
$$;

revoke execute on function parcours.lock_segment, parcours.settle_run, parcours.resume_run,
  parcours.put_off_run, parcours.next_retry_at, parcours.fail, parcours.refuse_prompt,
  parcours.renew, parcours.move_run from public;
