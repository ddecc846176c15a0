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
