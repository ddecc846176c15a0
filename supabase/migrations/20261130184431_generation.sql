-- parcours-xl-generate: one attempt of one segment is submitted to Suno
-- (docs/specification.md#parcours-xl-generate, docs/specification.md#attempts).

-- A segment by its id, or by its place in a run.
create function parcours.find_segment(p_segment_id uuid, p_run_id uuid, p_segment_index integer)
returns uuid
language plpgsql stable set search_path = '' as $$
begin
  return case when p_segment_id is not null then p_segment_id else (
    select id from public.parcours_segments
     where run_id = p_run_id and segment_index = p_segment_index) end;
end;
$$;

create function parcours.may_submit(p_segment public.parcours_segments) returns boolean
language plpgsql volatile set search_path = '' as $$
begin
  return not parcours.is_storing(p_segment) and (
    p_segment.status in ('queued', 'failed')
    or p_segment.status = 'generating'
       and coalesce((p_segment.metadata->>'next_try_at')::timestamptz <= clock_timestamp(), false));
end;
$$;

-- queued -> generating, once, with a slot of the Suno quota: the attempt begins, counted and with a
-- token of its own, which nobody can have known before. A failed segment becomes a new attempt
-- first. What Suno put off is claimed again, when it is due, as the attempt that it is.
--   claimed   submit it now
--   skipped   under way, or done; or the run is cancelled, and what waited has failed
--   waits     for wait_s seconds: the credits of the day are spent, and the run says so
-- PT404 unknown; PT429 (detail: seconds) when the quota is full or the attempts are used up:
-- nothing has changed then.
create function public.claim_segment(
  p_limits_id bigint, p_segment_id uuid default null, p_run_id uuid default null,
  p_segment_index integer default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  wanted_id uuid := parcours.find_segment(p_segment_id, p_run_id, p_segment_index);
  run public.parcours_runs;
  segment public.parcours_segments;
  answer jsonb;
  is_new boolean;
  wait_s integer;
  reserved bigint;
  event_id bigint;
  is_later boolean;
begin
  select * into run from public.parcours_runs
   where id = (select run_id from public.parcours_segments where id = wanted_id) for update;
  select * into segment from public.parcours_segments where id = wanted_id for update;
  if segment.id is null then
    raise sqlstate 'PT404' using message = 'unknown segment';
  end if;
  answer := jsonb_build_object('segment_id', segment.id, 'segment_index', segment.segment_index);
  if parcours.is_cancelled(run) then
    if parcours.is_waiting(segment) then
      perform parcours.fail_attempt(segment, 'cancelled', '{}', false);
      perform parcours.schedule_run(run.id, p_ended => true);
      segment.status := 'failed';
    end if;
    return answer || jsonb_build_object(
      'outcome', 'skipped', 'task_id', segment.suno_task_id, 'status', segment.status);
  elsif not parcours.may_submit(segment) then
    return answer || jsonb_build_object(
      'outcome', 'skipped', 'status', segment.status, 'task_id', segment.suno_task_id);
  end if;

  is_new := segment.status <> 'generating';
  if is_new and parcours.is_exhausted(segment, limits) then
    raise sqlstate 'PT429' using
      message = 'every attempt of this segment is used up', detail = '86400', hint = 'attempts';
  end if;

  reserved := parcours.reserve_slot(limits, 'submit', parcours.asked_lately(run.user_id));
  if limits.credits_daily_max is not null then
    wait_s := parcours.credits_wait_s(limits.credits_a_segment, limits.credits_daily_max);
    if wait_s is not null then
      delete from parcours.suno_requests where slot = reserved;
      if run.metadata->>'retry_reason' is distinct from 'credits_daily_max'
         or (run.metadata->>'retry_at')::timestamptz <= clock_timestamp() then
        perform parcours.postpone_run(
          run.id, clock_timestamp() + make_interval(secs => wait_s), 'credits_daily_max');
        perform parcours.schedule_run(run.id);
      end if;
      return answer || jsonb_build_object(
        'outcome', 'waits', 'status', segment.status, 'wait_s', wait_s);
    end if;
  end if;

  if segment.status = 'failed' then
    perform parcours.requeue_segment(segment);
    segment.metadata := parcours.forget_attempt(segment.metadata);
  end if;
  update public.parcours_segments
     set status = 'generating',
         callback_token = case when is_new then gen_random_uuid() else callback_token end,
         metadata = segment.metadata - 'next_try_at' || jsonb_build_object(
           'attempts', parcours.attempts(segment) + is_new::integer,
           'claimed_at', clock_timestamp())
   where id = segment.id
  returning * into segment;
  insert into parcours.submissions (user_id, run_id, segment_id, credits)
  values (run.user_id, run.id, segment.id, limits.credits_a_segment);
  if run.metadata ? 'retry_at' then
    update public.parcours_runs set metadata = metadata - array['retry_at', 'retry_reason']
     where id = run.id;
  end if;
  if run.status = 'failed' then
    perform parcours.resume_run(run.id);
  end if;
  event_id := parcours.log_event(run.id, segment.id, 'segment.claimed',
    jsonb_build_object('attempt', parcours.attempts(segment),
                       'credits', limits.credits_a_segment));
  -- What is under way is due before anything that waits.
  is_later := parcours.set_deadline(
    parcours.activate_run(run.id, false, p_limits_id), parcours.watch_run(run.id, limits));

  return answer || jsonb_build_object(
    'outcome', 'claimed', 'status', 'generating', 'slot', reserved,
    'callback_token', segment.callback_token, 'prompt', segment.prompt,
    'title', coalesce(segment.metadata->>'title', ''),
    'planned_seconds', coalesce((segment.metadata->>'planned_seconds')::integer, 300),
    'preset_key', run.preset_key,
    'refused_prompts', jsonb_array_length(
      coalesce(segment.metadata->'refused_prompts', '[]'::jsonb)));
end;
$$;

-- The attempt's segment, locked; a row of nulls when the token is no longer the segment's.
create function parcours.lock_attempt(p_segment_id uuid, p_token uuid)
returns public.parcours_segments
language plpgsql set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_segment(p_segment_id);
begin
  if segment.callback_token is distinct from p_token or p_token is null then
    return null;
  end if;
  return segment;
end;
$$;

-- Suno has taken the attempt. The submission's own answer has the last word: what a callback for
-- another task has told meanwhile, which the owner may have forged, is undone.
create function public.record_task(p_segment_id uuid, p_token uuid, p_task_id text)
returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_attempt(p_segment_id, p_token);
  undone text := segment.suno_task_id;
  event_id bigint;
  is_later boolean;
begin
  if segment.id is null or segment.status not in ('generating', 'first')
     or undone is not null and not segment.metadata ? 'task_unconfirmed' then
    return case when segment.suno_task_id = p_task_id then 'ok' else 'late' end;
  end if;
  if undone <> p_task_id then
    segment.preview_url := null;
    segment.duration_seconds := null;
    segment.metadata := segment.metadata - array[
      'heard_at', 'asked_at', 'ask_at', 'error_reported', 'first_received_at',
      'complete_received_at', 'suno_download_url', 'suno_track_id', 'suno_second_track_id',
      'suno_second_stream_url', 'suno_second_download_url'];
  end if;
  update public.parcours_segments
     set suno_task_id = p_task_id, preview_url = segment.preview_url,
         duration_seconds = segment.duration_seconds,
         metadata = segment.metadata - array['next_try_at', 'task_unconfirmed']
   where id = segment.id;
  update public.parcours_runs set metadata = metadata - 'retries'
   where id = segment.run_id and metadata ? 'retries';
  event_id := parcours.log_event(segment.run_id, segment.id, 'segment.submitted',
    jsonb_build_object('task_id', p_task_id, 'instead_of', nullif(undone, p_task_id)));
  is_later := parcours.schedule_run(segment.run_id);
  return 'ok';
end;
$$;

-- May Suno be asked about this attempt now? Each has questions_max questions, whoever causes them,
-- and none before its submission. {outcome}:
--   reserved  ask, with this slot of the quota
--   none      no question is left, or it came too late to wait for: nothing new will be learnt
--   late      the attempt is over
-- PT429 (detail: seconds) while questions have taken their share of the quota.
create function public.reserve_question(p_segment_id uuid, p_token uuid, p_limits_id bigint)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  segment public.parcours_segments := parcours.lock_attempt(p_segment_id, p_token);
  tried record;
begin
  if segment.id is null or segment.status in ('queued', 'complete')
     or segment.suno_task_id is null then
    return jsonb_build_object('outcome', 'late');
  elsif parcours.questions_left(segment, limits) <= 0 then
    return jsonb_build_object('outcome', 'none');
  end if;
  tried := parcours.try_slot(limits, 'ask', 0);
  if tried.reserved is not null then
    update public.parcours_segments
       set metadata = metadata || jsonb_build_object(
             'questions', coalesce((metadata->>'questions')::integer, 0) + 1)
     where id = segment.id;
    return jsonb_build_object('outcome', 'reserved', 'slot', tried.reserved);
  elsif (segment.metadata->>'claimed_at')::timestamptz
        + make_interval(secs => limits.give_up_s + limits.unanswered_s) < clock_timestamp() then
    update public.parcours_segments
       set metadata = metadata - 'ask_at' || jsonb_build_object('asked_at', clock_timestamp())
     where id = segment.id;
    perform parcours.schedule_run(segment.run_id);
    return jsonb_build_object('outcome', 'none');
  end if;
  raise sqlstate 'PT429' using
    message = 'the Suno quota for questions is full', detail = tried.wait_s::text,
    hint = 'suno_quota';
end;
$$;

-- Suno has said no: 'later' (again after the pauses of retry_s, then failed for a passing reason),
-- 'content' (to these words: the next attempt sends others), 'for_good', or 'account' (no credits,
-- a bad key), which ends every segment of the run that would call Suno. An attempt that was heard
-- of meanwhile is not submitted again: a gateway may say 502 about a task which Suno has begun.
create function public.record_refusal(
  p_segment_id uuid, p_token uuid, p_kind text, p_limits_id bigint, p_code integer default null,
  p_message text default null
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  segment public.parcours_segments := parcours.lock_attempt(p_segment_id, p_token);
  detail jsonb := jsonb_build_object('code', p_code, 'message', left(p_message, 500));
  refusals integer := coalesce((segment.metadata->>'refusals')::integer, 0);
  -- Null beyond the last pause.
  pause_s double precision := limits.retry_s[refusals + 1];
  other public.parcours_segments;
begin
  if segment.id is null or segment.status not in ('generating', 'first')
     or segment.suno_task_id is not null and not segment.metadata ? 'task_unconfirmed'
     or segment.metadata ? 'heard_at' and p_kind = 'later' then
    return 'late';
  end if;
  -- Nothing was bought by this request.
  delete from parcours.submissions where id = (
    select max(id) from parcours.submissions
     where run_id = segment.run_id and segment_id = segment.id);

  if p_kind = 'later' and pause_s is not null then
    update public.parcours_segments
       set metadata = metadata || jsonb_build_object(
             'refusals', refusals + 1,
             'next_try_at', clock_timestamp() + make_interval(secs => pause_s))
     where id = segment.id;
    perform parcours.log_event(segment.run_id, segment.id, 'segment.refused',
      detail || jsonb_build_object('again_in_s', pause_s));
    perform parcours.schedule_run(segment.run_id);
    return 'later';
  end if;

  perform parcours.fail_attempt(segment,
    case p_kind when 'account' then 'suno_account' when 'later' then 'suno_busy'
                when 'content' then 'suno_content' else 'suno_refused' end,
    detail, p_kind = 'content', p_passing => p_kind = 'later');
  if p_kind = 'account' then
    for other in
      select * from public.parcours_segments
       where run_id = segment.run_id and id <> segment.id
         and (status = 'queued' or metadata ? 'next_try_at'
              or (metadata->'failure'->>'again')::boolean)
       order by segment_index for update
    loop
      perform parcours.fail_attempt(other, 'suno_account', detail, false);
    end loop;
  end if;
  perform parcours.schedule_run(segment.run_id, p_ended => true);
  return 'failed';
end;
$$;

-- A new attempt of a failed segment, or of one that Suno never answered. Without a token an
-- operator asks; with one, only that attempt is meant. 'queued', 'failed' (and not again), 'late',
-- or 'cancelled' to an operator. PT404 unknown; PT429 attempts used up.
create function public.retry_segment(
  p_segment_id uuid, p_limits_id bigint, p_token uuid default null
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  segment public.parcours_segments := parcours.lock_segment(p_segment_id);
  watched record;
begin
  if segment.id is null then
    raise sqlstate 'PT404' using message = 'unknown segment';
  elsif p_token is null and (
    select parcours.is_cancelled(run) from public.parcours_runs as run where id = segment.run_id)
  then
    return 'cancelled';
  elsif p_token is not null and segment.callback_token is distinct from p_token
        or parcours.is_storing(segment) then
    return 'late';
  end if;

  if segment.status in ('generating', 'first') then
    watched := parcours.watch_segment(segment, limits);
    if watched.action <> 'retry' or watched.due_at > clock_timestamp() then
      return 'late';
    end if;
    perform parcours.fail_attempt(segment, 'no_answer', '{}', true);
    select * into segment from public.parcours_segments where id = segment.id;
  end if;
  if segment.status <> 'failed' then
    return 'late';
  end if;

  if p_token is not null and (
    not parcours.is_retried(segment) or parcours.is_exhausted(segment, limits)
  ) then
    update public.parcours_segments
       set metadata = jsonb_set(metadata, '{failure,again}', 'false')
     where id = segment.id;
    perform parcours.schedule_run(segment.run_id, p_ended => true);
    return 'failed';
  elsif parcours.is_exhausted(segment, limits) then
    raise sqlstate 'PT429' using
      message = 'every attempt of this segment is used up', detail = '86400', hint = 'attempts';
  end if;
  perform parcours.requeue_segment(segment);
  perform parcours.resume_run(segment.run_id);
  perform parcours.schedule_run(segment.run_id);
  return 'queued';
end;
$$;

revoke execute on function parcours.find_segment, parcours.may_submit, parcours.lock_attempt
  from public;
revoke execute on function public.claim_segment, public.record_task, public.reserve_question,
  public.record_refusal, public.retry_segment from public, anon, authenticated;
grant execute on function public.claim_segment, public.record_task, public.reserve_question,
  public.record_refusal, public.retry_segment to service_role;
