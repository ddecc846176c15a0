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

-- When runs were created in the last 24 hours, all users together, whatever became of them.
create table parcours.created_lately (
  id bigint generated always as identity primary key,
  created_at timestamptz not null default now()
);
create index created_lately_when on parcours.created_lately (created_at);

-- A create that was admitted holds a place in the quotas until its run is there, or it has failed:
-- nobody is asked to write more briefs than may become runs. A place whose holder died is free
-- again at free_at.
create table parcours.places (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  free_at timestamptz not null
);
create index places_user on parcours.places (user_id);

-- How many seconds until one more run fits into a quota of so many in 24 hours; null when it does
-- now. p_user_id null: all users together.
create function parcours.quota_wait_s(p_user_id uuid, p_quota integer) returns integer
language plpgsql stable set search_path = '' as $$
declare
  held integer;
  place_free_at timestamptz;
  -- The run that must turn a day old before another one fits.
  crowding timestamptz;
begin
  select count(*), min(free_at) into held, place_free_at from parcours.places
   where (p_user_id is null or user_id = p_user_id) and free_at > clock_timestamp();
  if held >= p_quota then
    return greatest(1, ceil(extract(epoch from place_free_at - clock_timestamp())));
  elsif p_user_id is null then
    select created_at into crowding from parcours.created_lately
     where created_at > now() - interval '24 hours'
     order by created_at desc offset p_quota - held - 1 limit 1;
  else
    select created_at into crowding from public.parcours_runs
     where user_id = p_user_id and created_at > now() - interval '24 hours'
     order by created_at desc offset p_quota - held - 1 limit 1;
  end if;
  return ceil(extract(epoch from crowding + interval '24 hours' - now()));
end;
$$;

-- How many seconds until so many credits more may be spent; null when they may be now.
create function parcours.credits_wait_s(p_credits integer, p_daily_max integer)
returns integer
language sql stable set search_path = '' as $$
  -- The newest request that must turn a day old, counted from now backwards.
  select case when p_credits > p_daily_max then 86400 else ceil(extract(epoch from
           max(claimed_at) filter (where spent_since + p_credits > p_daily_max)
             + interval '24 hours' - clock_timestamp()))::integer end
    from (select claimed_at, sum(credits) over (order by claimed_at desc, id desc) as spent_since
            from parcours.submissions
           where claimed_at > clock_timestamp() - interval '24 hours') as spending;
$$;

-- Raises PT429 (detail: seconds to wait) unless one more run of this user fits.
create function parcours.check_quotas(p_user_id uuid, p_quotas jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  per_user integer := greatest(parcours.limit_of(p_quotas, 'runs_daily_user'), 1);
  runs_max integer := parcours.limit_or_none(p_quotas, 'runs_daily_max');
  credits_max integer := parcours.limit_or_none(p_quotas, 'credits_daily_max');
  wait_s integer := parcours.quota_wait_s(p_user_id, per_user);
begin
  if wait_s is not null then
    raise sqlstate 'PT429' using
      message = format('the quota of %s journeys a day is used up', per_user), detail = wait_s;
  end if;
  if runs_max is not null then
    perform pg_advisory_xact_lock(hashtextextended('parcours.runs_daily_max', 0));
    wait_s := parcours.quota_wait_s(null, runs_max);
    if wait_s is not null then
      raise sqlstate 'PT429' using
        message = 'no more journeys can be made today, by anybody: please come back later',
        detail = wait_s;
    end if;
  end if;
  if credits_max is not null then
    wait_s := parcours.credits_wait_s(
      parcours.limit_of(p_quotas, 'credits_a_segment')::integer, credits_max);
    if wait_s is not null then
      raise sqlstate 'PT429' using
        message = 'no more music can be made today, by anybody: please come back later',
        detail = wait_s;
    end if;
  end if;
end;
$$;

-- Users of one bucket share a lock, so that a deletion of many users takes few locks.
create function parcours.user_lock(p_user_id uuid) returns bigint
language sql immutable set search_path = '' as $$
  select hashtextextended('parcours.users', 0) + abs(hashtext(p_user_id::text)) % 256;
$$;

-- One create of a user at a time; none while the user is being erased.
create function parcours.lock_creations(p_user_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock_shared(parcours.user_lock(p_user_id));
  perform pg_advisory_xact_lock(hashtextextended('parcours.create_run ' || p_user_id, 0));
end;
$$;

-- The earlier run of a repeated key, or null. PT422 for a key that belongs to another request.
create function parcours.find_creation(p_user_id uuid, p_idempotency_key text, p_request jsonb)
returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  earlier parcours.creations;
begin
  select * into earlier from parcours.creations
   where user_id = p_user_id and idempotency_key = p_idempotency_key
     and created_at > now() - interval '24 hours';
  if not found then
    return null;
  elsif earlier.request is distinct from p_request then
    raise sqlstate 'PT422' using message = 'this Idempotency-Key was used with another request';
  end if;
  return parcours.describe_run(earlier.run_id);
end;
$$;

-- May this user create a run now? {run}: the earlier one of a repeated key; {place}: yes, and a
-- place in the quotas is held for place_s seconds. PT403 when the rollout has not reached them
-- (p_rollout 'flags'), PT422 for a key of another request, PT429 (detail: seconds) over a quota.
-- p_quotas: runs_daily_user, runs_daily_max and credits_daily_max (null: none), credits_a_segment,
-- place_s.
create function public.admit_run(
  p_user_id uuid, p_quotas jsonb, p_idempotency_key text default null,
  p_request jsonb default null, p_rollout text default 'all'
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  earlier jsonb;
  taken uuid;
begin
  perform parcours.check_account(p_user_id);
  perform parcours.lock_creations(p_user_id);
  earlier := parcours.find_creation(p_user_id, p_idempotency_key, p_request);
  if earlier is not null then
    return jsonb_build_object('run', earlier);
  end if;
  perform parcours.check_rollout(p_user_id, p_rollout);
  perform parcours.check_quotas(p_user_id, p_quotas);
  delete from parcours.places where free_at < clock_timestamp();
  insert into parcours.places (user_id, free_at)
  values (p_user_id,
          clock_timestamp() + make_interval(secs => parcours.limit_of(p_quotas, 'place_s')))
  returning id into taken;
  return jsonb_build_object('place', taken);
end;
$$;

-- A create has failed: its place is free.
create function public.leave_place(p_place uuid) returns void
language sql security definer set search_path = '' as $$
  delete from parcours.places where id = p_place;
$$;

-- p_place: held by admit_run; without one, or when it was held too long, the quotas are judged now.
create function public.create_run(
  p_user_id uuid, p_preset_key text, p_brief text, p_metadata jsonb, p_segments jsonb,
  p_quotas jsonb, p_idempotency_key text default null, p_request jsonb default null,
  p_rollout text default 'all', p_place uuid default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  new_run_id uuid;
  earlier jsonb;
  is_held boolean;
begin
  perform parcours.check_account(p_user_id);
  perform parcours.lock_creations(p_user_id);
  delete from parcours.places
   where id = p_place and user_id = p_user_id and free_at > clock_timestamp();
  is_held := found;
  earlier := parcours.find_creation(p_user_id, p_idempotency_key, p_request);
  if earlier is not null then
    return earlier;
  end if;
  if not is_held then
    perform parcours.check_rollout(p_user_id, p_rollout);
    perform parcours.check_quotas(p_user_id, p_quotas);
  end if;

  insert into public.parcours_runs (user_id, preset_key, brief, metadata)
  values (p_user_id, p_preset_key, p_brief, p_metadata)
  returning id into new_run_id;
  delete from parcours.created_lately where created_at <= now() - interval '24 hours';
  insert into parcours.created_lately default values;

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

-- What the day has come to, for whoever watches: {runs, credits}, all users together.
create function parcours.read_day() returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'runs', (select count(*) from parcours.created_lately
              where created_at > now() - interval '24 hours'),
    'credits', (select coalesce(sum(credits), 0) from parcours.submissions
                 where claimed_at > now() - interval '24 hours'));
$$;

revoke execute on function parcours.describe_run, parcours.quota_wait_s,
  parcours.credits_wait_s, parcours.check_quotas, parcours.user_lock, parcours.lock_creations,
  parcours.find_creation, parcours.read_day from public;
revoke execute on function public.admit_run, public.leave_place, public.create_run
  from public, anon, authenticated;
grant execute on function public.admit_run, public.leave_place, public.create_run to service_role;
