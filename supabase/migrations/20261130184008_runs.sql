-- What a run needs next, and when: read from its segments, never stored.

-- Limits come with the run when it is put in hand (Settings.limits); what is missing is an error.
create table parcours.runs_in_hand (
  run_id uuid primary key references public.parcours_runs on delete cascade,
  msg_id bigint not null unique,
  -- False when only single segments were asked for: what is under way is watched, no more.
  whole_run boolean not null,
  limits jsonb not null,
  -- When somebody last asked for the run: its owner waits from then on.
  asked_at timestamptz not null default clock_timestamp()
);

-- Storing: Suno has delivered, the track is not yet kept.
create function parcours.is_storing(p_segment public.parcours_segments) returns boolean
language sql immutable set search_path = '' as $$
  select p_segment.status <> 'complete' and p_segment.metadata ? 'complete_received_at';
$$;

create function parcours.attempts(p_segment public.parcours_segments) returns integer
language sql immutable set search_path = '' as $$
  select coalesce((p_segment.metadata->>'attempts')::integer, 0);
$$;

create function parcours.seconds(p_limits jsonb, p_name text) returns interval
language sql immutable set search_path = '' as $$
  select make_interval(secs => parcours.limit_of(p_limits, p_name));
$$;

-- Nothing bounds how often a segment is queued again by what costs nothing (stopped, and asked for
-- after all), but this.
create function parcours.renewals_max() returns integer
language sql immutable set search_path = '' as $$ select 50 $$;

-- Has every attempt been used up?
create function parcours.is_exhausted(p_segment public.parcours_segments, p_limits jsonb)
returns boolean
language sql immutable set search_path = '' as $$
  select parcours.attempts(p_segment) >= parcours.limit_of(p_limits, 'attempts_max')
      or coalesce((p_segment.metadata->>'renewals')::integer, 0) >= parcours.renewals_max();
$$;

-- How many questions an attempt may still have answered by Suno.
create function parcours.questions_left(p_segment public.parcours_segments, p_limits jsonb)
returns integer
language sql immutable set search_path = '' as $$
  select parcours.limit_of(p_limits, 'questions_max')::integer
       - coalesce((p_segment.metadata->>'questions')::integer, 0);
$$;

-- The next thing to do about a segment that is under way.
create function parcours.watch_segment(
  p_segment public.parcours_segments, p_limits jsonb, out action text, out due_at timestamptz
)
language plpgsql stable set search_path = '' as $$
declare
  facts jsonb := p_segment.metadata;
  since timestamptz := coalesce(
    (facts->>'claimed_at')::timestamptz, (facts->>'first_received_at')::timestamptz,
    p_segment.created_at);
  asked_at timestamptz := coalesce((facts->>'asked_at')::timestamptz, '-infinity');
  ask_at timestamptz;
begin
  if facts ? 'next_try_at' then
    action := 'submit';
    due_at := (facts->>'next_try_at')::timestamptz;
  elsif p_segment.suno_task_id is null and not facts ? 'heard_at' then
    action := 'retry';
    due_at := since + parcours.seconds(p_limits, 'unanswered_s');
  else
    select min(due) into ask_at
      from unnest(array[
        case when not facts ? 'first_received_at'
             then since + parcours.seconds(p_limits, 'first_s') end,
        since + parcours.seconds(p_limits, 'complete_s'),
        since + parcours.seconds(p_limits, 'give_up_s'),
        (facts->>'ask_at')::timestamptz]) as due
     where due > asked_at;
    if p_segment.suno_task_id is null or ask_at is null
       or parcours.questions_left(p_segment, p_limits) <= 0 then
      action := 'give_up';
      due_at := since + parcours.seconds(p_limits, 'give_up_s');
    else
      action := 'ask';
      due_at := ask_at;
    end if;
  end if;
end;
$$;

-- The next thing to do about a run in hand, and the attempt that is meant. Segments are composed
-- one after the other: the next one is submitted when none is under way, and not before the run's
-- metadata.retry_at. 'settle' when nothing is left to do.
create function parcours.next_step(
  p_run_id uuid, out action text, out segment_id uuid, out callback_token uuid,
  out task_id text, out due_at timestamptz
)
language plpgsql stable set search_path = '' as $$
declare
  hand parcours.runs_in_hand;
begin
  select * into hand from parcours.runs_in_hand where run_id = p_run_id;

  select watched.action, segment.id, segment.callback_token, segment.suno_task_id, watched.due_at
    into action, segment_id, callback_token, task_id, due_at
    from public.parcours_segments as segment,
         lateral parcours.watch_segment(segment, hand.limits) as watched
   where segment.run_id = p_run_id and segment.status in ('generating', 'first')
     and not parcours.is_storing(segment)
   order by watched.due_at limit 1;
  if found then
    return;
  end if;

  if exists (
    select from public.parcours_segments as segment
     where segment.run_id = p_run_id and parcours.is_storing(segment)
  ) then
    action := 'wait';
    due_at := 'infinity';
    return;
  end if;

  select case when segment.status = 'failed' then 'retry' else 'submit' end,
         segment.id, segment.callback_token, segment.suno_task_id,
         greatest(now(), (run.metadata->>'retry_at')::timestamptz)
    into action, segment_id, callback_token, task_id, due_at
    from public.parcours_segments as segment
    join public.parcours_runs as run on run.id = segment.run_id
   where segment.run_id = p_run_id
     and (segment.status = 'queued' and (hand.whole_run or parcours.attempts(segment) > 0)
          or segment.status = 'failed' and (segment.metadata->'failure'->>'again')::boolean)
   order by segment.segment_index limit 1;
  if not found then
    action := 'settle';
    due_at := now();
  end if;
end;
$$;

-- Sets the run's message to its next deadline; whoever took it before has done something with it.
-- The run must be locked.
create function parcours.schedule_run(p_run_id uuid) returns void
language plpgsql set search_path = '' as $$
declare
  in_hand_msg_id bigint;
  step record;
begin
  select msg_id into in_hand_msg_id from parcours.runs_in_hand where run_id = p_run_id;
  if not found then
    return;
  end if;
  step := parcours.next_step(p_run_id);
  perform pgmq.set_vt('parcours_generation', in_hand_msg_id,
                      parcours.whole_seconds_until(step.due_at));
  update pgmq.q_parcours_generation
     set message = message || jsonb_build_object('counted_from', read_ct)
   where msg_id = in_hand_msg_id and read_ct > 0;
end;
$$;

-- pgmq 1.5.1 waits whole seconds. A wait without an end is looked at again within the hour.
create function parcours.whole_seconds_until(p_due_at timestamptz) returns integer
language sql volatile set search_path = '' as $$
  select case when p_due_at = 'infinity' then 3600
              else least(3600, greatest(0, ceil(extract(epoch from
                     p_due_at - clock_timestamp()))))::integer end;
$$;

-- Puts a run in hand: one message, whoever asks and however often. A message that was set aside
-- or lost is sent anew. The run must be locked.
create function parcours.hold_run(p_run_id uuid, p_whole_run boolean, p_limits jsonb)
returns void
language plpgsql set search_path = '' as $$
declare
  in_hand_msg_id bigint;
begin
  update parcours.runs_in_hand
     set whole_run = whole_run or p_whole_run, limits = p_limits
   where run_id = p_run_id
  returning msg_id into in_hand_msg_id;
  if exists (select from pgmq.q_parcours_generation where msg_id = in_hand_msg_id) then
    return;
  end if;
  insert into parcours.runs_in_hand (run_id, msg_id, whole_run, limits)
  select p_run_id, sent, p_whole_run, p_limits
    from pgmq.send('parcours_generation', jsonb_build_object('run_id', p_run_id)) as sent
      on conflict (run_id) do update set msg_id = excluded.msg_id;
end;
$$;

-- Takes due messages for so many seconds and says what to do for each run. It locks no run:
-- every step is judged again by the function that carries it out. A message that cannot be read,
-- or that breaks whoever takes it, goes aside, and the others flow on.
create function public.next_steps(p_quantity integer, p_lease_s integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job record;
  job_run_id uuid;
  step record;
  steps jsonb := '[]';
begin
  for job in select * from parcours.take_due('parcours_generation', p_quantity, p_lease_s) loop
    job_run_id := parcours.as_uuid(job.message->>'run_id');
    if job_run_id is null then
      perform parcours.set_aside('parcours_generation', job.msg_id, 'unreadable');
      continue;
    elsif not exists (
      select from parcours.runs_in_hand where run_id = job_run_id and msg_id = job.msg_id
    ) then
      perform pgmq.delete('parcours_generation', job.msg_id);
      continue;
    elsif parcours.broken_tries(job.read_ct, job.message) > parcours.broken_tries_max() then
      perform parcours.set_aside('parcours_generation', job.msg_id, 'broke');
      continue;
    end if;
    begin
      step := parcours.next_step(job_run_id);
    exception
      -- What this run's rows hold cannot be read either: no worker will ever do better.
      when data_exception then
        perform parcours.set_aside('parcours_generation', job.msg_id, 'broke');
        continue;
    end;
    if step.action = 'submit' and step.due_at <= clock_timestamp() then
      -- While Suno takes no more, nobody is sent to ask for a slot in vain.
      step.due_at := clock_timestamp() + make_interval(secs => parcours.slot_wait_s(
        (select limits from parcours.runs_in_hand where run_id = job_run_id), job.asked));
    end if;
    if step.due_at > clock_timestamp() then
      perform pgmq.set_vt('parcours_generation', job.msg_id,
                          parcours.whole_seconds_until(step.due_at));
      update pgmq.q_parcours_generation
         set message = message || jsonb_build_object('counted_from', read_ct)
       where msg_id = job.msg_id;
      continue;
    end if;
    steps := steps || (jsonb_strip_nulls(jsonb_build_object(
      'request_id', job.message->'request_id')) || jsonb_build_object(
      'msg_id', job.msg_id, 'read_ct', job.read_ct, 'run_id', job_run_id,
      'action', step.action, 'segment_id', step.segment_id,
      'callback_token', step.callback_token, 'task_id', step.task_id));
  end loop;
  return steps;
end;
$$;

revoke execute on function parcours.is_storing, parcours.attempts, parcours.seconds,
  parcours.renewals_max, parcours.is_exhausted, parcours.questions_left,
  parcours.watch_segment, parcours.next_step, parcours.schedule_run,
  parcours.whole_seconds_until, parcours.hold_run from public;
revoke execute on function public.next_steps from public, anon, authenticated;
grant execute on function public.next_steps to service_role;

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

-- parcours-xl-runner: a run is put in hand.

-- Starts or resumes a run. Failed segments become new attempts, but for those that will be tried
-- again by themselves; what is being stored is left alone, and a repeated call changes nothing.
-- p_user_id: who asks, where that matters: only the owner has a cancelled run made after all
-- (PT409). PT403 the run's owner is banned; PT404 unknown run; PT429 when nothing can be resumed
-- because every attempt is used up.
create function public.start_run(p_run_id uuid, p_limits jsonb, p_user_id uuid default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  run public.parcours_runs;
  segment public.parcours_segments;
  exhausted integer := 0;
  pending integer;
  total integer;
  total_seconds integer;
begin
  perform parcours.check_limits(p_limits);
  select * into run from public.parcours_runs where id = p_run_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown run';
  end if;
  -- Whoever calls: nothing is bought for somebody who may not listen.
  perform parcours.check_account(run.user_id);
  if parcours.is_cancelled(p_run_id) then
    if run.user_id is distinct from p_user_id then
      raise sqlstate 'PT409' using
        message = 'this run was cancelled; only its owner can have it made after all';
    end if;
    update public.parcours_runs set metadata = metadata - 'cancelled_at' where id = p_run_id;
  end if;

  for segment in
    select * from public.parcours_segments as failed
     where run_id = p_run_id and status = 'failed' and not parcours.is_storing(failed)
     order by segment_index for update
  loop
    if (segment.metadata->'failure'->>'again')::boolean
       and (run.metadata->>'retry_at')::timestamptz > clock_timestamp() then
      continue;
    elsif parcours.is_exhausted(segment, p_limits) then
      exhausted := exhausted + 1;
    else
      perform parcours.renew(segment);
    end if;
  end loop;

  select count(*) filter (where status <> 'complete'), count(*),
         sum(coalesce(duration_seconds, (metadata->>'planned_seconds')::integer))
    into pending, total, total_seconds
    from public.parcours_segments where run_id = p_run_id;

  if exhausted > 0 and exhausted = pending then
    raise sqlstate 'PT429' using
      message = 'every attempt of this run is used up', detail = '86400', hint = 'attempts';
  end if;
  if pending > exhausted then
    perform parcours.resume_run(p_run_id);
    if not exists (
      select from parcours.runs_in_hand where run_id = p_run_id and whole_run
    ) then
      perform parcours.note(p_run_id, null, 'run.started', jsonb_build_object('pending', pending));
    end if;
    perform parcours.hold_run(p_run_id, true, p_limits);
    update parcours.runs_in_hand set asked_at = clock_timestamp() where run_id = p_run_id;
    perform parcours.schedule_run(p_run_id);
  end if;

  return jsonb_build_object('run_id', p_run_id, 'segments', total, 'pending', pending,
                            'total_seconds', coalesce(total_seconds, 0));
end;
$$;

-- Lets go of a run in which nothing is left to do.
create function public.release_run(p_run_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  step record;
begin
  perform from public.parcours_runs where id = p_run_id for update;
  if not exists (select from parcours.runs_in_hand where run_id = p_run_id) then
    perform parcours.settle_run(p_run_id);
    return true;
  end if;
  step := parcours.next_step(p_run_id);
  if step.action <> 'settle' then
    perform parcours.schedule_run(p_run_id);
    return false;
  end if;
  perform parcours.settle_run(p_run_id);
  perform pgmq.delete('parcours_generation', msg_id)
     from parcours.runs_in_hand where run_id = p_run_id;
  delete from parcours.runs_in_hand where run_id = p_run_id;
  return true;
end;
$$;

revoke execute on function public.start_run, public.release_run from public, anon, authenticated;
grant execute on function public.start_run, public.release_run to service_role;

-- Stopping (parcours-xl-cancel, `parcours cancel`): nothing more is bought for a cancelled run, and
-- what Suno has been asked for already is still stored. The statuses are the documented ones: the
-- mark is metadata.cancelled_at, and what will not be composed is failed with reason 'cancelled'.

-- A run that is ready lacks nothing: there a mark means nothing any more.
create function parcours.is_cancelled(p_run_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select exists (select from public.parcours_runs
                  where id = p_run_id and metadata ? 'cancelled_at' and status <> 'ready');
$$;

-- Would be submitted to Suno, now or later: queued, put off by Suno, or to be tried again.
create function parcours.is_waiting(p_segment public.parcours_segments) returns boolean
language sql immutable set search_path = '' as $$
  select not parcours.is_storing(p_segment) and (
    p_segment.status = 'queued'
    or p_segment.status = 'generating' and p_segment.metadata ? 'next_try_at'
    or p_segment.status = 'failed'
       and coalesce((p_segment.metadata->'failure'->>'again')::boolean, false));
$$;

create function parcours.describe_cancelled(p_run_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
           'run_id', p_run_id,
           'status', (select status from public.parcours_runs where id = p_run_id),
           'cancelled', count(*) filter (where metadata->'failure'->>'reason' = 'cancelled'),
           'under_way', count(*) filter (where status in ('generating', 'first')
                                            or parcours.is_storing(segment)),
           'complete', count(*) filter (where status = 'complete'))
    from public.parcours_segments as segment where run_id = p_run_id;
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
    perform parcours.note(p_run_id, null, 'run.cancelled', jsonb_build_object(
      'by', case when p_user_id is null then 'operator' else 'owner' end));
  end if;
  for segment in
    select * from public.parcours_segments as waiting
     where run_id = p_run_id and parcours.is_waiting(waiting)
     order by segment_index for update
  loop
    perform parcours.fail(segment, 'cancelled', '{}', false);
  end loop;
  -- What is under way is watched, no more, and never tried again.
  update parcours.runs_in_hand
     set whole_run = false, limits = limits || '{"attempts_automatic": 0}'
   where run_id = p_run_id;
  perform parcours.move_run(p_run_id);
  return parcours.describe_cancelled(p_run_id);
end;
$$;

revoke execute on function parcours.is_cancelled, parcours.is_waiting,
  parcours.describe_cancelled from public;
revoke execute on function public.cancel_run from public, anon, authenticated;
grant execute on function public.cancel_run to service_role;
