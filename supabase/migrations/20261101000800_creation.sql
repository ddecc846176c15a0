-- A run begins: the daily quota, the idempotency key, the run and its segments.

-- An Idempotency-Key is kept 24 hours a user, with what was asked for.
create table parcours.creations (
  user_id uuid not null,
  idempotency_key text not null,
  request jsonb not null,
  run_id uuid not null references public.parcours_runs on delete cascade,
  created_at timestamptz not null default now(),
  primary key (user_id, idempotency_key)
);
create index creations_run on parcours.creations (run_id);

create function parcours.describe_run(p_run_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
           'run_id', run.id, 'title', run.metadata->>'title', 'brief', run.brief,
           'briefs', run.metadata->'brief', 'status', run.status,
           'segments', (select count(*) from public.parcours_segments where run_id = run.id))
    from public.parcours_runs as run
   where run.id = p_run_id;
$$;

-- May this user create a run now? Answers the earlier run for a repeated key, null for "yes",
-- PT422 for a key that belongs to another request, PT429 (detail: seconds to wait) over the quota.
create function public.admit_run(
  p_user_id uuid, p_daily_quota integer, p_idempotency_key text default null,
  p_request jsonb default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  earlier parcours.creations;
  crowding timestamptz;
begin
  select * into earlier from parcours.creations
   where user_id = p_user_id and idempotency_key = p_idempotency_key
     and created_at > now() - interval '24 hours';
  if found then
    if earlier.request is distinct from p_request then
      raise sqlstate 'PT422' using
        message = 'this Idempotency-Key was used with another request';
    end if;
    return parcours.describe_run(earlier.run_id);
  end if;

  -- The run that must turn a day old before another one fits.
  select created_at into crowding from public.parcours_runs
   where user_id = p_user_id and created_at > now() - interval '24 hours'
   order by created_at desc offset greatest(p_daily_quota, 1) - 1 limit 1;
  if found then
    raise sqlstate 'PT429' using
      message = format('the quota of %s journeys a day is used up', p_daily_quota),
      detail = ceil(extract(epoch from crowding + interval '24 hours' - now()))::text;
  end if;
  return null;
end;
$$;

create function public.create_run(
  p_user_id uuid, p_preset_key text, p_brief text, p_metadata jsonb, p_segments jsonb,
  p_daily_quota integer, p_idempotency_key text default null, p_request jsonb default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  new_run_id uuid;
  answer jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('parcours.create_run ' || p_user_id, 0));
  answer := public.admit_run(p_user_id, p_daily_quota, p_idempotency_key, p_request);
  if answer is not null then
    return answer;
  end if;

  insert into public.parcours_runs (user_id, preset_key, brief, metadata)
  values (p_user_id, p_preset_key, p_brief, p_metadata)
  returning id into new_run_id;

  insert into public.parcours_segments (run_id, segment_index, prompt, metadata)
  select new_run_id, place - 1, segment->>'prompt', segment - 'prompt'
    from jsonb_array_elements(p_segments) with ordinality as listed (segment, place);

  if p_idempotency_key is not null then
    delete from parcours.creations
     where user_id = p_user_id and created_at <= now() - interval '24 hours';
    insert into parcours.creations (user_id, idempotency_key, request, run_id)
    values (p_user_id, p_idempotency_key, p_request, new_run_id);
  end if;

  perform parcours.note(new_run_id, null, 'run.created', jsonb_build_object(
    'preset_key', p_preset_key, 'segments', jsonb_array_length(p_segments),
    'brief_source', p_metadata->'brief_source'));
  return parcours.describe_run(new_run_id);
end;
$$;

revoke execute on function parcours.describe_run from public;
revoke execute on function public.admit_run, public.create_run from public, anon, authenticated;
grant execute on function public.admit_run, public.create_run to service_role;
