-- A run: what it needs next and when, which is read from its segments and never stored; the changes
-- that several functions share; and how it is started, let go and cancelled.
-- Lock order everywhere: run, segment, quota, queue row (docs/architecture.md#lock-order).

-- The runs that workers look after, each with one message in the generation queue.
create table parcours.active_runs (
  run_id uuid primary key references public.parcours_runs on delete cascade,
  msg_id bigint not null unique,
  -- False when only single segments were asked for: what is under way is watched, no more.
  whole_run boolean not null,
  limits_id bigint not null references parcours.limits,
  -- When somebody last asked for the run: its owner waits from then on.
  asked_at timestamptz not null default clock_timestamp()
);
create index active_runs_limits on parcours.active_runs (limits_id);

-- Suno has delivered, the track is not yet stored (docs/specification.md#storing).
create function parcours.is_storing(p_segment public.parcours_segments) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return p_segment.status <> 'complete' and p_segment.metadata ? 'complete_received_at';
end;
$$;

create function parcours.attempts(p_segment public.parcours_segments) returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce((p_segment.metadata->>'attempts')::integer, 0);
end;
$$;

-- It failed, and is tried again without being asked.
create function parcours.is_retried(p_segment public.parcours_segments) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return p_segment.status = 'failed'
     and coalesce((p_segment.metadata->'failure'->>'again')::boolean, false);
end;
$$;

-- Has every attempt been used up? What costs nothing (cancelled, and asked for after all) may queue
-- a segment again 50 times: nothing else bounds that.
create function parcours.is_exhausted(p_segment public.parcours_segments, p_limits parcours.limits)
returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce((p_segment.metadata->>'attempts')::integer, 0) >= p_limits.attempts_max
      or coalesce((p_segment.metadata->>'renewals')::integer, 0) >= 50;
end;
$$;

-- How many questions an attempt may still have answered by Suno.
create function parcours.questions_left(
  p_segment public.parcours_segments, p_limits parcours.limits
) returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return p_limits.questions_max - coalesce((p_segment.metadata->>'questions')::integer, 0);
end;
$$;

-- The next thing to do about a segment that is under way.
create function parcours.watch_segment(
  p_segment public.parcours_segments, p_limits parcours.limits,
  out action text, out due_at timestamptz
)
language plpgsql stable set search_path = '' as $$
declare
  facts jsonb := p_segment.metadata;
  since timestamptz := coalesce(
    (facts->>'claimed_at')::timestamptz, (facts->>'first_received_at')::timestamptz,
    p_segment.created_at);
  asked_at timestamptz := coalesce((facts->>'asked_at')::timestamptz, '-infinity');
  complete_at timestamptz := since + make_interval(secs => p_limits.complete_s);
  give_up_at timestamptz := since + make_interval(secs => p_limits.give_up_s);
  first_at timestamptz;
  ask_at timestamptz := (facts->>'ask_at')::timestamptz;
begin
  if facts ? 'next_try_at' then
    action := 'submit';
    due_at := (facts->>'next_try_at')::timestamptz;
    return;
  elsif p_segment.suno_task_id is null and not facts ? 'heard_at' then
    action := 'retry';
    due_at := since + make_interval(secs => p_limits.unanswered_s);
    return;
  end if;
  if not facts ? 'first_received_at' then
    first_at := since + make_interval(secs => p_limits.first_s);
  end if;
  due_at := least(
    case when first_at > asked_at then first_at end,
    case when complete_at > asked_at then complete_at end,
    case when give_up_at > asked_at then give_up_at end,
    case when ask_at > asked_at then ask_at end);
  action := 'ask';
  if p_segment.suno_task_id is null or due_at is null
     or parcours.questions_left(p_segment, p_limits) <= 0 then
    action := 'give_up';
    due_at := give_up_at;
  end if;
end;
$$;

-- The next thing to do about an active run, and the attempt that is meant. Segments are composed
-- one after the other: the next one is submitted when none is under way, and not before the run's
-- metadata.retry_at. 'wait' while a track is being stored, 'settle' when nothing is left to do;
-- null when the run is not active. msg_id: the run's message.
create function parcours.next_step(
  p_run_id uuid, out action text, out segment_id uuid, out callback_token uuid,
  out task_id text, out due_at timestamptz, out msg_id bigint
)
language plpgsql stable set search_path = '' as $$
declare
  -- active, limits: its rows.
  held record;
  segment public.parcours_segments;
  waiting public.parcours_segments;
  watched record;
  is_storing boolean := false;
begin
  select active, limits into held
    from parcours.active_runs as active join parcours.limits on limits.id = active.limits_id
   where active.run_id = p_run_id;
  if not found then
    return;
  end if;
  msg_id := (held.active).msg_id;
  for segment in
    select * from public.parcours_segments
     where run_id = p_run_id and status <> 'complete' order by segment_index
  loop
    if segment.metadata ? 'complete_received_at' then
      is_storing := true;
    elsif segment.status in ('generating', 'first') then
      watched := parcours.watch_segment(segment, held.limits);
      if due_at is null or watched.due_at < due_at then
        action := watched.action;
        segment_id := segment.id;
        callback_token := segment.callback_token;
        task_id := segment.suno_task_id;
        due_at := watched.due_at;
      end if;
    elsif waiting.id is null
          and (segment.status = 'queued'
                 and ((held.active).whole_run or parcours.attempts(segment) > 0)
               or parcours.is_retried(segment)) then
      waiting := segment;
    end if;
  end loop;
  if due_at is not null then
    return;
  elsif is_storing then
    action := 'wait';
    due_at := 'infinity';
  elsif waiting.id is not null then
    action := case waiting.status when 'failed' then 'retry' else 'submit' end;
    segment_id := waiting.id;
    callback_token := waiting.callback_token;
    task_id := waiting.suno_task_id;
    due_at := greatest(now(), (
      select (metadata->>'retry_at')::timestamptz from public.parcours_runs where id = p_run_id));
  else
    action := 'settle';
    due_at := now();
  end if;
end;
$$;

-- Sets a run's message to a deadline, if that is another one; whoever took it before has done
-- something with it. A wait without an end is looked at again within the hour. False: nothing has
-- changed.
create function parcours.set_deadline(p_msg_id bigint, p_due_at timestamptz) returns boolean
language plpgsql set search_path = '' as $$
declare
  visible_at timestamptz := least(p_due_at, clock_timestamp() + interval '1 hour');
begin
  update pgmq.q_parcours_generation
     set vt = visible_at,
         message = case when read_ct > 0
                        then message || jsonb_build_object('counted_from', read_ct)
                        else message end
   where msg_id = p_msg_id and (vt <> visible_at or read_ct > 0);
  return found;
end;
$$;

-- Sets the run's message to what it needs next. p_ended: a segment has ended, so that the run may be
-- over. The run must be locked. False when nothing has changed.
create function parcours.schedule_run(p_run_id uuid, p_ended boolean default false)
returns boolean
language plpgsql set search_path = '' as $$
declare
  step record := parcours.next_step(p_run_id);
begin
  -- A run for which something is left to do is not over.
  if p_ended and (step.action is null or step.action = 'settle') then
    perform parcours.settle_run(p_run_id);
  end if;
  return step.msg_id is not null and parcours.set_deadline(step.msg_id, step.due_at);
end;
$$;

-- When the first of those segments that are under way is due.
create function parcours.watch_run(p_run_id uuid, p_limits parcours.limits) returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return (
    select min((parcours.watch_segment(segment, p_limits)).due_at)
      from public.parcours_segments as segment
     where run_id = p_run_id and status in ('generating', 'first')
       and not metadata ? 'complete_received_at');
end;
$$;

-- Puts a run into the hands of the workers: one message, whoever asks and however often. A message
-- that became a dead letter or was lost is sent anew. The run must be locked. Answers the message.
create function parcours.activate_run(p_run_id uuid, p_whole_run boolean, p_limits_id bigint)
returns bigint
language plpgsql set search_path = '' as $$
declare
  active parcours.active_runs;
  sent_id bigint;
begin
  select held.* into active
    from parcours.active_runs as held
    join pgmq.q_parcours_generation as job on job.msg_id = held.msg_id
   where held.run_id = p_run_id;
  if found then
    if active.limits_id <> p_limits_id or p_whole_run and not active.whole_run then
      update parcours.active_runs
         set whole_run = whole_run or p_whole_run, limits_id = p_limits_id
       where run_id = p_run_id;
    end if;
    return active.msg_id;
  end if;
  -- What pgmq.send does, without planning it anew at each call.
  insert into pgmq.q_parcours_generation (vt, message)
  values (clock_timestamp(), jsonb_build_object('run_id', p_run_id))
  returning msg_id into sent_id;
  insert into parcours.active_runs (run_id, msg_id, whole_run, limits_id)
  values (p_run_id, sent_id, p_whole_run, p_limits_id)
      on conflict (run_id) do update
     set msg_id = excluded.msg_id, limits_id = excluded.limits_id,
         whole_run = active_runs.whole_run or excluded.whole_run;
  return sent_id;
end;
$$;

-- Takes due messages for so many seconds and says what to do for each run. It locks no run:
-- every step is judged again by the function that carries it out. A message that cannot be read,
-- or that breaks whoever takes it, becomes a dead letter, and the others flow on.
create function public.next_steps(p_quantity integer, p_lease_s integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job record;
  job_run_id uuid;
  job_limits_id bigint;
  step record;
  steps jsonb := '[]';
begin
  for job in select * from parcours.take_due_generation(p_quantity, p_lease_s) loop
    job_run_id := parcours.as_uuid(job.message->>'run_id');
    if job_run_id is null then
      perform parcours.dead_letter('parcours_generation', job.msg_id, 'unreadable');
      continue;
    end if;
    select limits_id into job_limits_id from parcours.active_runs
     where run_id = job_run_id and msg_id = job.msg_id;
    if not found then
      perform pgmq.delete('parcours_generation', job.msg_id);
      continue;
    elsif parcours.failed_deliveries(job.read_ct, job.message)
          > parcours.failed_deliveries_max() then
      perform parcours.dead_letter('parcours_generation', job.msg_id, 'broke');
      continue;
    end if;
    begin
      step := parcours.next_step(job_run_id);
    exception
      -- What this run's rows hold cannot be read either: no worker will ever do better.
      when data_exception then
        perform parcours.dead_letter('parcours_generation', job.msg_id, 'broke');
        continue;
    end;
    if step.due_at is null then
      continue;  -- It was released meanwhile, and its message deleted.
    elsif step.action = 'submit' and step.due_at <= clock_timestamp() then
      -- While Suno takes no more, nobody is sent to ask for a slot in vain.
      step.due_at := clock_timestamp() + make_interval(secs => parcours.slot_wait_s(
        parcours.read_limits(job_limits_id), job.asked));
    end if;
    if step.due_at > clock_timestamp() then
      update pgmq.q_parcours_generation
         set vt = least(step.due_at, clock_timestamp() + interval '1 hour'),
             message = message || jsonb_build_object('counted_from', read_ct)
       where msg_id = job.msg_id;
      continue;
    end if;
    steps := steps || (jsonb_strip_nulls(jsonb_build_object(
      'request_id', job.message->'request_id', 'trace', job.message->'trace'))
      || jsonb_build_object(
      'msg_id', job.msg_id, 'read_ct', job.read_ct, 'run_id', job_run_id,
      'action', step.action, 'segment_id', step.segment_id,
      'callback_token', step.callback_token, 'task_id', step.task_id));
  end loop;
  return steps;
end;
$$;

revoke execute on function parcours.is_storing, parcours.attempts, parcours.is_retried,
  parcours.is_exhausted, parcours.questions_left, parcours.watch_segment, parcours.next_step,
  parcours.set_deadline, parcours.schedule_run, parcours.watch_run, parcours.activate_run
  from public;
revoke execute on function public.next_steps from public, anon, authenticated;
grant execute on function public.next_steps to service_role;

-- The changes that several functions share.

-- The segment, with its run locked before it; a row of nulls when there is none.
create function parcours.lock_segment(p_segment_id uuid) returns public.parcours_segments
language plpgsql set search_path = '' as $$
declare
  segment public.parcours_segments;
begin
  perform from public.parcours_runs
    where id = (select run_id from public.parcours_segments where id = p_segment_id) for update;
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
             or status = 'failed'
                and (metadata ? 'complete_received_at'
                     or coalesce((metadata->'failure'->>'again')::boolean, false))
           ) then 'failed'
         end
    into settled_status
    from public.parcours_segments where run_id = p_run_id;

  if settled_status is null or settled_status = current_status or current_status = 'ready' then
    return current_status;
  end if;
  update public.parcours_runs
     set status = settled_status, metadata = metadata - array['retry_at', 'retry_reason', 'retries']
   where id = p_run_id;
  perform parcours.log_event(p_run_id, null, 'run.' || settled_status);
  return settled_status;
end;
$$;

-- A failed run is made again.
create function parcours.resume_run(p_run_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  update public.parcours_runs set status = 'creating' where id = p_run_id and status = 'failed';
  if found then
    perform parcours.log_event(p_run_id, null, 'run.resumed');
  end if;
end;
$$;

-- A run waits until then: its owner reads metadata.retry_at, and why in metadata.retry_reason.
create function parcours.postpone_run(p_run_id uuid, p_until timestamptz, p_reason text)
returns void
language plpgsql set search_path = '' as $$
begin
  update public.parcours_runs
     set metadata = metadata
           || jsonb_build_object('retry_at', p_until, 'retry_reason', p_reason)
   where id = p_run_id;
  perform parcours.log_event(p_run_id, null, 'run.put_off',
    jsonb_build_object('reason', p_reason, 'until', p_until));
end;
$$;

-- When a segment that failed for a passing reason (Suno too busy, or out of service) is tried again
-- by itself: after the next of the limits' retry_later_s, a run's own pauses, while attempts are
-- left, the run is not cancelled, and its owner has asked for it within waits_s. Null: never.
create function parcours.next_retry_at(
  p_segment public.parcours_segments, p_active parcours.active_runs, p_limits parcours.limits
) returns timestamptz
language plpgsql volatile set search_path = '' as $$
declare
  run public.parcours_runs;
begin
  if p_active.run_id is null or not p_active.whole_run
     or p_active.asked_at < clock_timestamp() - make_interval(secs => p_limits.waits_s)
     or parcours.is_exhausted(p_segment, p_limits) then
    return null;
  end if;
  select * into run from public.parcours_runs where id = p_segment.run_id;
  if run.metadata ? 'cancelled_at' then
    return null;
  end if;
  -- Beyond the last pause the element is null, and so is the moment.
  return clock_timestamp() + make_interval(secs => p_limits.retry_later_s[
    coalesce((run.metadata->>'retries')::integer, 0) + 1]);
end;
$$;

-- An attempt of a locked segment ends without music. It is made again without being asked while the
-- run is active and not cancelled: p_again, at once, within the automatic attempts; p_passing, at
-- the run's next pause. Suno's refusal of the words is kept: no later attempt sends them again. The
-- worker takes the next prompt by how many refusals there are; they outlive every new attempt.
create function parcours.fail_attempt(
  p_segment public.parcours_segments, p_reason text, p_detail jsonb, p_again boolean,
  p_passing boolean default false
) returns void
language plpgsql set search_path = '' as $$
declare
  active parcours.active_runs;
  limits parcours.limits;
  retry_at timestamptz;
  again boolean := false;
  failure jsonb := jsonb_strip_nulls(p_detail) || jsonb_build_object('reason', p_reason);
begin
  if not exists (select from parcours.failure_reasons where reason = p_reason) then
    raise sqlstate '22023' using message = format('unknown failure reason %L', p_reason);
  end if;
  if p_again or p_passing then
    select * into active from parcours.active_runs where run_id = p_segment.run_id;
    select * into limits from parcours.limits where id = active.limits_id;
    if p_passing then
      retry_at := parcours.next_retry_at(p_segment, active, limits);
    end if;
    again := retry_at is not null or p_again and coalesce(
      parcours.attempts(p_segment) < limits.attempts_automatic, false) and not exists (
        select from public.parcours_runs
         where id = p_segment.run_id and metadata ? 'cancelled_at');
  end if;
  update public.parcours_segments
     set status = 'failed',
         metadata = p_segment.metadata
           - array['next_try_at', 'complete_received_at', 'suno_download_url',
                   'whole_track', 'delivered_track_id', 'delivered_stream_url']
           || jsonb_build_object('failure', failure || jsonb_build_object(
                'at', clock_timestamp(), 'again', again))
           || case when p_reason = 'suno_content' then jsonb_build_object('refused_prompts',
                coalesce(p_segment.metadata->'refused_prompts', '[]'::jsonb) || jsonb_build_array(
                  jsonb_strip_nulls(p_detail) || jsonb_build_object('at', clock_timestamp())))
                else '{}' end
   where id = p_segment.id;
  perform parcours.log_event(p_segment.run_id, p_segment.id, 'segment.failed',
    failure || jsonb_build_object('again', again, 'attempt', parcours.attempts(p_segment)));
  if retry_at is not null then
    update public.parcours_runs
       set metadata = metadata || jsonb_build_object(
             'retries', coalesce((metadata->>'retries')::integer, 0) + 1)
     where id = p_segment.run_id;
    perform parcours.postpone_run(p_segment.run_id, retry_at, p_reason);
  end if;
end;
$$;

-- What a new attempt keeps of the old ones: the counts, and nothing else.
create function parcours.forget_attempt(p_metadata jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return p_metadata - array[
      'claimed_at', 'heard_at', 'refusals', 'next_try_at', 'asked_at', 'ask_at', 'questions',
      'error_reported', 'task_unconfirmed', 'failure', 'first_received_at',
      'complete_received_at', 'suno_download_url', 'suno_track_id', 'suno_second_track_id',
      'suno_second_stream_url', 'suno_second_download_url', 'whole_track',
      'delivered_track_id', 'delivered_stream_url', 'sound_end_seconds']
    || jsonb_build_object('renewals', coalesce((p_metadata->>'renewals')::integer, 0) + 1);
end;
$$;

-- A failed segment is queued for a new attempt. Its token is nobody's until the claim makes
-- another.
create function parcours.requeue_segment(p_segment public.parcours_segments) returns void
language plpgsql set search_path = '' as $$
begin
  update public.parcours_segments
     set status = 'queued', callback_token = gen_random_uuid(), suno_task_id = null,
         preview_url = null, final_url = null, storage_path = null, duration_seconds = null,
         metadata = parcours.forget_attempt(metadata)
   where id = p_segment.id;
  perform parcours.log_event(p_segment.run_id, p_segment.id, 'segment.requeued',
    jsonb_build_object('attempts', parcours.attempts(p_segment)));
end;
$$;

revoke execute on function parcours.lock_segment, parcours.settle_run, parcours.resume_run,
  parcours.postpone_run, parcours.next_retry_at, parcours.fail_attempt, parcours.forget_attempt,
  parcours.requeue_segment from public;

-- parcours-xl-runner (docs/specification.md#parcours-xl-runner).

-- Starts or resumes a run. Failed segments become new attempts, but for those that will be tried
-- again by themselves; what is being stored is left alone, and a repeated call changes nothing.
-- p_user_id: who asks, where that matters: only the owner has a cancelled run made after all
-- (PT409). PT403 the run's owner is banned; PT404 unknown run; PT429 when nothing can be resumed
-- because every attempt is used up.
create function public.start_run(p_run_id uuid, p_limits_id bigint, p_user_id uuid default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  run public.parcours_runs;
  segment public.parcours_segments;
  was_whole boolean;
  event_id bigint;
  sent_id bigint;
  exhausted integer := 0;
  pending integer := 0;
  total integer := 0;
  total_seconds integer := 0;
begin
  select * into run from public.parcours_runs where id = p_run_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown run';
  end if;
  -- Whoever calls: nothing is bought for somebody who may not listen.
  perform parcours.check_account(run.user_id);
  if parcours.is_cancelled(run) then
    if run.user_id is distinct from p_user_id then
      raise sqlstate 'PT409' using
        message = 'this run was cancelled; only its owner can have it made after all';
    end if;
    update public.parcours_runs set metadata = metadata - 'cancelled_at' where id = p_run_id;
  end if;

  for segment in
    select * from public.parcours_segments where run_id = p_run_id order by segment_index for update
  loop
    total := total + 1;
    pending := pending + (segment.status <> 'complete')::integer;
    if segment.status = 'failed' and not parcours.is_storing(segment)
       and not (parcours.is_retried(segment)
                and coalesce((run.metadata->>'retry_at')::timestamptz > clock_timestamp(), false))
    then
      if parcours.is_exhausted(segment, limits) then
        exhausted := exhausted + 1;
      else
        perform parcours.requeue_segment(segment);
        segment.duration_seconds := null;
      end if;
    end if;
    total_seconds := total_seconds + coalesce(
      segment.duration_seconds, (segment.metadata->>'planned_seconds')::integer, 0);
  end loop;

  if exhausted > 0 and exhausted = pending then
    raise sqlstate 'PT429' using
      message = 'every attempt of this run is used up', detail = '86400', hint = 'attempts';
  end if;
  if pending > exhausted then
    if run.status = 'failed' then
      perform parcours.resume_run(p_run_id);
    end if;
    select whole_run into was_whole from parcours.active_runs where run_id = p_run_id;
    if was_whole is not true then
      event_id := parcours.log_event(
        p_run_id, null, 'run.started', jsonb_build_object('pending', pending));
    end if;
    sent_id := parcours.activate_run(p_run_id, true, p_limits_id);
    if was_whole is not null then
      update parcours.active_runs set asked_at = clock_timestamp() where run_id = p_run_id;
      perform parcours.schedule_run(p_run_id);
    end if;
  end if;

  return jsonb_build_object('run_id', p_run_id, 'segments', total, 'pending', pending,
                            'total_seconds', total_seconds);
end;
$$;

-- Lets go of a run in which nothing is left to do.
create function public.release_run(p_run_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  step record;
begin
  perform from public.parcours_runs where id = p_run_id for update;
  step := parcours.next_step(p_run_id);
  if step.due_at is null then
    perform parcours.settle_run(p_run_id);
    return true;
  elsif step.action is distinct from 'settle' then
    perform parcours.schedule_run(p_run_id);
    return false;
  end if;
  perform parcours.settle_run(p_run_id);
  perform pgmq.delete('parcours_generation', msg_id)
     from parcours.active_runs where run_id = p_run_id;
  delete from parcours.active_runs where run_id = p_run_id;
  return true;
end;
$$;

revoke execute on function public.start_run, public.release_run from public, anon, authenticated;
grant execute on function public.start_run, public.release_run to service_role;

-- Cancelling (docs/specification.md#cancelling): nothing more is bought for a cancelled run, and
-- what Suno has been asked for already is still stored. The statuses are the documented ones: the
-- mark is metadata.cancelled_at, and what will not be composed is failed with reason 'cancelled'.

-- A run that is ready lacks nothing: there a mark means nothing any more.
create function parcours.is_cancelled(p_run public.parcours_runs) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return p_run.metadata ? 'cancelled_at' and p_run.status <> 'ready';
end;
$$;

-- Would be submitted to Suno, now or later: queued, put off by Suno, or to be tried again.
create function parcours.is_waiting(p_segment public.parcours_segments) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return not parcours.is_storing(p_segment) and (
    p_segment.status = 'queued'
    or p_segment.status = 'generating' and p_segment.metadata ? 'next_try_at'
    or parcours.is_retried(p_segment));
end;
$$;

create function parcours.describe_cancelled(p_run_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select jsonb_build_object(
             'run_id', p_run_id,
             'status', (select status from public.parcours_runs where id = p_run_id),
             'cancelled', count(*) filter (where metadata->'failure'->>'reason' = 'cancelled'),
             'under_way', count(*) filter (where status in ('generating', 'first')
                                              or parcours.is_storing(segment)),
             'complete', count(*) filter (where status = 'complete'))
      from public.parcours_segments as segment where run_id = p_run_id);
end;
$$;

-- Gives a run up. p_user_id: who asks; null for an operator. A ready run stays as it is, and a
-- repeated call changes nothing. PT404 unknown run; PT403 somebody else's.
create function public.cancel_run(p_run_id uuid, p_user_id uuid default null) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  run public.parcours_runs;
  segment public.parcours_segments;
begin
  perform parcours.check_account(p_user_id);
  select * into run from public.parcours_runs where id = p_run_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown run';
  elsif p_user_id <> run.user_id then
    raise sqlstate 'PT403' using message = 'this run belongs to somebody else';
  elsif run.status = 'ready' then
    return parcours.describe_cancelled(p_run_id);
  end if;

  if not run.metadata ? 'cancelled_at' then
    update public.parcours_runs
       set metadata = metadata || jsonb_build_object('cancelled_at', clock_timestamp())
     where id = p_run_id;
    perform parcours.log_event(p_run_id, null, 'run.cancelled', jsonb_build_object(
      'by', case when p_user_id is null then 'operator' else 'owner' end));
  end if;
  for segment in
    select * from public.parcours_segments as waiting
     where run_id = p_run_id and parcours.is_waiting(waiting)
     order by segment_index for update
  loop
    perform parcours.fail_attempt(segment, 'cancelled', '{}', false);
  end loop;
  -- What is under way is watched, no more, and never tried again.
  update parcours.active_runs set whole_run = false where run_id = p_run_id and whole_run;
  perform parcours.schedule_run(p_run_id, p_ended => true);
  return parcours.describe_cancelled(p_run_id);
end;
$$;

revoke execute on function parcours.is_cancelled, parcours.is_waiting,
  parcours.describe_cancelled from public;
revoke execute on function public.cancel_run from public, anon, authenticated;
grant execute on function public.cancel_run to service_role;
