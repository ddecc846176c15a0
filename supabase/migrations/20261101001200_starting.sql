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
