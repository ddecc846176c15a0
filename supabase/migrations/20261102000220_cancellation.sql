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
