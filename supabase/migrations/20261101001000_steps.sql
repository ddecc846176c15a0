-- What a run needs next, and when: read from its segments, never stored.

-- Limits come with the run when it is put in hand: first_s, complete_s, give_up_s, unanswered_s,
-- retry_s[], attempts_automatic, attempts_max, requests_max, requests_window_s, request_s_max.
create table parcours.runs_in_hand (
  run_id uuid primary key references public.parcours_runs on delete cascade,
  msg_id bigint not null unique,
  -- False when only single segments were asked for: what is under way is watched, no more.
  whole_run boolean not null,
  limits jsonb not null
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
  select make_interval(secs => (p_limits->>p_name)::numeric);
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
    if p_segment.suno_task_id is null or ask_at is null then
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
-- one after the other: the next one is submitted when none is under way. 'settle' when nothing is
-- left to do.
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
         segment.id, segment.callback_token, segment.suno_task_id, now()
    into action, segment_id, callback_token, task_id, due_at
    from public.parcours_segments as segment
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

-- Sets the run's message to its next deadline. The run must be locked.
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
end;
$$;

-- pgmq 1.5.1 waits whole seconds. A wait without an end is looked at again within the hour.
create function parcours.whole_seconds_until(p_due_at timestamptz) returns integer
language sql volatile set search_path = '' as $$
  select case when p_due_at = 'infinity' then 3600
              else least(3600, greatest(0, ceil(extract(epoch from
                     p_due_at - clock_timestamp()))))::integer end;
$$;

-- Puts a run in hand: one message, whoever asks and however often. The run must be locked.
create function parcours.hold_run(p_run_id uuid, p_whole_run boolean, p_limits jsonb)
returns void
language plpgsql set search_path = '' as $$
begin
  update parcours.runs_in_hand
     set whole_run = whole_run or p_whole_run, limits = p_limits
   where run_id = p_run_id;
  if not found then
    insert into parcours.runs_in_hand (run_id, msg_id, whole_run, limits)
    select p_run_id, sent, p_whole_run, p_limits
      from pgmq.send('parcours_generation', jsonb_build_object('run_id', p_run_id)) as sent;
  end if;
end;
$$;

-- Takes due messages for so many seconds and says what to do for each run. It locks no run:
-- every step is judged again by the function that carries it out.
create function public.next_steps(p_quantity integer, p_lease_s integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job record;
  step record;
  steps jsonb := '[]';
begin
  for job in
    select msg_id, read_ct, (message->>'run_id')::uuid as run_id
      from pgmq.read('parcours_generation', p_lease_s, p_quantity)
  loop
    if not exists (
      select from parcours.runs_in_hand where run_id = job.run_id and msg_id = job.msg_id
    ) then
      perform pgmq.delete('parcours_generation', job.msg_id);
      continue;
    end if;
    step := parcours.next_step(job.run_id);
    if step.due_at > clock_timestamp() then
      perform pgmq.set_vt('parcours_generation', job.msg_id,
                          parcours.whole_seconds_until(step.due_at));
      continue;
    end if;
    steps := steps || jsonb_build_object(
      'msg_id', job.msg_id, 'read_ct', job.read_ct, 'run_id', job.run_id,
      'action', step.action, 'segment_id', step.segment_id,
      'callback_token', step.callback_token, 'task_id', step.task_id);
  end loop;
  return steps;
end;
$$;

revoke execute on function parcours.is_storing, parcours.attempts, parcours.seconds,
  parcours.watch_segment, parcours.next_step, parcours.schedule_run,
  parcours.whole_seconds_until, parcours.hold_run from public;
revoke execute on function public.next_steps from public, anon, authenticated;
grant execute on function public.next_steps to service_role;
