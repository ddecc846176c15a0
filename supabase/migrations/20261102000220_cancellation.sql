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

-- Every submission to Suno is claimed first: this is where nothing more is bought.
alter function public.claim_segment(jsonb, uuid, uuid, integer) set schema parcours;

create function public.claim_segment(
  p_limits jsonb, p_segment_id uuid default null, p_run_id uuid default null,
  p_segment_index integer default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_segment(
    parcours.find_segment(p_segment_id, p_run_id, p_segment_index));
begin
  if segment.id is null or not parcours.is_cancelled(segment.run_id) then
    return parcours.claim_segment(p_limits, p_segment_id, p_run_id, p_segment_index);
  end if;
  if parcours.is_waiting(segment) then
    perform parcours.fail(segment, 'cancelled', '{}', false);
    perform parcours.move_run(segment.run_id);
  end if;
  return jsonb_build_object(
    'outcome', 'skipped', 'segment_id', segment.id, 'segment_index', segment.segment_index,
    'task_id', segment.suno_task_id,
    'status', (select status from public.parcours_segments where id = segment.id));
end;
$$;

-- Only the owner has a cancelled run made after all: PT409 for everybody else.
alter function public.start_run(uuid, jsonb) set schema parcours;

create function public.start_run(p_run_id uuid, p_limits jsonb, p_user_id uuid default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  owner_id uuid;
begin
  select user_id into owner_id from public.parcours_runs where id = p_run_id for update;
  if parcours.is_cancelled(p_run_id) then
    if owner_id is distinct from p_user_id then
      raise sqlstate 'PT409' using
        message = 'this run was cancelled; only its owner can have it made after all';
    end if;
    update public.parcours_runs set metadata = metadata - 'cancelled_at' where id = p_run_id;
  end if;
  return parcours.start_run(p_run_id, p_limits);
end;
$$;

-- With a token the worker means one attempt that is under way; without one an operator asks.
alter function public.retry_segment(uuid, jsonb, uuid) set schema parcours;

create function public.retry_segment(
  p_segment_id uuid, p_limits jsonb, p_token uuid default null
) returns text
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments := parcours.lock_segment(p_segment_id);
begin
  if p_token is null and parcours.is_cancelled(segment.run_id) then
    return 'cancelled';
  end if;
  return parcours.retry_segment(p_segment_id, p_limits, p_token);
end;
$$;

revoke execute on function parcours.claim_segment, parcours.start_run, parcours.retry_segment
  from service_role;
revoke execute on function parcours.is_cancelled, parcours.is_waiting,
  parcours.describe_cancelled from public;
revoke execute on function public.cancel_run, public.claim_segment, public.start_run,
  public.retry_segment from public, anon, authenticated;
grant execute on function public.cancel_run, public.claim_segment, public.start_run,
  public.retry_segment to service_role;
