-- parcours-xl-generate: one attempt of one segment is submitted to Suno.

create function parcours.find_segment(p_segment_id uuid, p_run_id uuid, p_segment_index integer)
returns uuid
language sql stable set search_path = '' as $$
  select id from public.parcours_segments
   where id = p_segment_id
      or p_segment_id is null and run_id = p_run_id and segment_index = p_segment_index;
$$;

create function parcours.may_submit(p_segment public.parcours_segments) returns boolean
language sql volatile set search_path = '' as $$
  select not parcours.is_storing(p_segment) and (
    p_segment.status in ('queued', 'failed')
    or p_segment.status = 'generating'
       and coalesce((p_segment.metadata->>'next_try_at')::timestamptz <= clock_timestamp(), false));
$$;

-- queued -> generating, once, with a slot of the Suno quota. A failed segment becomes a new
-- attempt first. PT404 unknown; PT429 (detail: seconds) when the quota is full or the attempts
-- are used up: nothing has changed then.
create function public.claim_segment(
  p_limits jsonb, p_segment_id uuid default null, p_run_id uuid default null,
  p_segment_index integer default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_segment(
    parcours.find_segment(p_segment_id, p_run_id, p_segment_index));
  answer jsonb;
  reserved bigint;
  attempt integer;
begin
  if segment.id is null then
    raise sqlstate 'PT404' using message = 'unknown segment';
  end if;
  answer := jsonb_build_object('segment_id', segment.id, 'segment_index', segment.segment_index);
  if not parcours.may_submit(segment) then
    return answer || jsonb_build_object(
      'outcome', 'skipped', 'status', segment.status, 'task_id', segment.suno_task_id);
  end if;

  if segment.status <> 'generating' then
    attempt := parcours.attempts(segment) + 1;
    if attempt > (p_limits->>'attempts_max')::integer then
      raise sqlstate 'PT429' using
        message = 'every attempt of this segment is used up', detail = '86400', hint = 'attempts';
    end if;
    if segment.status = 'failed' then
      perform parcours.renew(segment);
    end if;
  else
    attempt := parcours.attempts(segment);
  end if;

  reserved := parcours.reserve_slot(p_limits);
  update public.parcours_segments
     set status = 'generating',
         metadata = metadata - 'next_try_at' || jsonb_build_object(
           'attempts', attempt, 'claimed_at', clock_timestamp())
   where id = segment.id
  returning * into segment;
  perform parcours.resume_run(segment.run_id);
  perform parcours.note(segment.run_id, segment.id, 'segment.claimed',
    jsonb_build_object('attempt', attempt));
  perform parcours.hold_run(segment.run_id, false, p_limits);
  perform parcours.schedule_run(segment.run_id);

  return answer || jsonb_build_object(
    'outcome', 'claimed', 'status', 'generating', 'slot', reserved,
    'callback_token', segment.callback_token, 'prompt', segment.prompt,
    'title', coalesce(segment.metadata->>'title', ''),
    'planned_seconds', coalesce((segment.metadata->>'planned_seconds')::integer, 300),
    'preset_key', (select preset_key from public.parcours_runs where id = segment.run_id),
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

-- Suno has taken the attempt. Set once: a callback may have named the task before.
create function public.record_task(p_segment_id uuid, p_token uuid, p_task_id text)
returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_attempt(p_segment_id, p_token);
begin
  if segment.id is null or segment.suno_task_id <> p_task_id then
    return 'late';
  end if;
  if segment.suno_task_id is null then
    update public.parcours_segments
       set suno_task_id = p_task_id, metadata = metadata - 'next_try_at'
     where id = segment.id;
    perform parcours.note(segment.run_id, segment.id, 'segment.submitted',
      jsonb_build_object('task_id', p_task_id));
    perform parcours.schedule_run(segment.run_id);
  end if;
  return 'ok';
end;
$$;

-- Suno has said no: 'later' (again after the pauses of retry_s, then failed), 'content' (to these
-- words: the next attempt sends others), 'for_good', or 'account' (no credits, a bad key), which
-- ends every segment of the run that would call Suno.
create function public.record_refusal(
  p_segment_id uuid, p_token uuid, p_kind text, p_limits jsonb, p_code integer default null,
  p_message text default null
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_attempt(p_segment_id, p_token);
  detail jsonb := jsonb_build_object('code', p_code, 'message', left(p_message, 500));
  refusals integer;
  pause_s numeric;
  other public.parcours_segments;
begin
  if segment.id is null or segment.status <> 'generating' or segment.suno_task_id is not null
     or segment.metadata ? 'heard_at' then
    return 'late';
  end if;

  refusals := coalesce((segment.metadata->>'refusals')::integer, 0);
  pause_s := (p_limits->'retry_s'->>refusals)::numeric;
  if p_kind = 'later' and pause_s is not null then
    update public.parcours_segments
       set metadata = metadata || jsonb_build_object(
             'refusals', refusals + 1,
             'next_try_at', clock_timestamp() + make_interval(secs => pause_s))
     where id = segment.id;
    perform parcours.note(segment.run_id, segment.id, 'segment.refused',
      detail || jsonb_build_object('again_in_s', pause_s));
    perform parcours.schedule_run(segment.run_id);
    return 'later';
  end if;

  perform parcours.fail(segment,
    case p_kind when 'account' then 'suno_account' when 'later' then 'suno_busy'
                when 'content' then 'suno_content' else 'suno_refused' end,
    detail, p_kind = 'content');
  if p_kind = 'account' then
    for other in
      select * from public.parcours_segments
       where run_id = segment.run_id and id <> segment.id
         and (status = 'queued' or metadata ? 'next_try_at'
              or (metadata->'failure'->>'again')::boolean)
       order by segment_index for update
    loop
      perform parcours.fail(other, 'suno_account', detail, false);
    end loop;
  end if;
  perform parcours.move_run(segment.run_id);
  return 'failed';
end;
$$;

-- A new attempt of a failed segment, or of one that Suno never answered. Without a token an
-- operator asks; with one, only that attempt is meant. PT404 unknown; PT429 attempts used up.
create function public.retry_segment(
  p_segment_id uuid, p_limits jsonb, p_token uuid default null
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_segment(p_segment_id);
  watched record;
begin
  if segment.id is null then
    raise sqlstate 'PT404' using message = 'unknown segment';
  end if;
  if p_token is not null and segment.callback_token is distinct from p_token
     or parcours.is_storing(segment) then
    return 'late';
  end if;

  if segment.status in ('generating', 'first') then
    watched := parcours.watch_segment(segment, p_limits);
    if watched.action <> 'retry' or watched.due_at > clock_timestamp() then
      return 'late';
    end if;
    perform parcours.fail(segment, 'no_answer', '{}', true);
    select * into segment from public.parcours_segments where id = segment.id;
  end if;
  if segment.status <> 'failed' then
    return 'late';
  end if;

  if p_token is not null and (segment.metadata->'failure'->>'again')::boolean is not true then
    perform parcours.move_run(segment.run_id);
    return 'failed';
  end if;
  if parcours.attempts(segment) >= (p_limits->>'attempts_max')::integer then
    raise sqlstate 'PT429' using
      message = 'every attempt of this segment is used up', detail = '86400', hint = 'attempts';
  end if;
  perform parcours.renew(segment);
  perform parcours.resume_run(segment.run_id);
  perform parcours.schedule_run(segment.run_id);
  return 'queued';
end;
$$;

revoke execute on function parcours.find_segment, parcours.may_submit, parcours.lock_attempt
  from public;
revoke execute on function public.claim_segment, public.record_task, public.record_refusal,
  public.retry_segment from public, anon, authenticated;
grant execute on function public.claim_segment, public.record_task, public.record_refusal,
  public.retry_segment to service_role;
