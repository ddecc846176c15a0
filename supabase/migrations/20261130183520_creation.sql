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
create index creations_when on parcours.creations (created_at);

create function parcours.describe_run(p_run public.parcours_runs, p_segments bigint) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return jsonb_build_object(
    'run_id', p_run.id, 'title', p_run.metadata->>'title', 'brief', p_run.brief,
    'briefs', p_run.metadata->'brief', 'status', p_run.status, 'segments', p_segments);
end;
$$;

-- When runs were created in the last 24 hours, all users together, whatever became of them.
create table parcours.recent_creations (
  id bigint generated always as identity primary key,
  created_at timestamptz not null default now()
);
create index recent_creations_when on parcours.recent_creations (created_at);

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
    select created_at into crowding from parcours.recent_creations
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
language plpgsql stable set search_path = '' as $$
begin
  -- The newest request that must turn a day old, counted from now backwards.
  return (
    select case when p_credits > p_daily_max then 86400 else ceil(extract(epoch from
             max(claimed_at) filter (where spent_since + p_credits > p_daily_max)
               + interval '24 hours' - clock_timestamp()))::integer end
      from (select claimed_at,
                   sum(credits) over (order by claimed_at desc, id desc) as spent_since
              from parcours.submissions
             where claimed_at > clock_timestamp() - interval '24 hours') as spending);
end;
$$;

-- Raises PT429 (detail: seconds to wait) unless one more run of this user fits.
create function parcours.check_quotas(p_user_id uuid, p_quotas parcours.quotas) returns void
language plpgsql set search_path = '' as $$
declare
  per_user integer := greatest(p_quotas.runs_daily_user, 1);
  wait_s integer := parcours.quota_wait_s(p_user_id, per_user);
begin
  if wait_s is not null then
    raise sqlstate 'PT429' using
      message = format('the quota of %s journeys a day is used up', per_user), detail = wait_s,
      hint = 'runs_daily_user';
  end if;
  if p_quotas.runs_daily_max is not null then
    perform pg_advisory_xact_lock(hashtextextended('parcours.runs_daily_max', 0));
    wait_s := parcours.quota_wait_s(null, p_quotas.runs_daily_max);
    if wait_s is not null then
      raise sqlstate 'PT429' using
        message = 'no more journeys can be made today, by anybody: please come back later',
        detail = wait_s, hint = 'runs_daily_max';
    end if;
  end if;
  if p_quotas.credits_daily_max is not null then
    wait_s := parcours.credits_wait_s(p_quotas.credits_a_segment, p_quotas.credits_daily_max);
    if wait_s is not null then
      raise sqlstate 'PT429' using
        message = 'no more music can be made today, by anybody: please come back later',
        detail = wait_s, hint = 'credits_daily_max';
    end if;
  end if;
end;
$$;

-- Users of one bucket share a lock, so that a deletion of many users takes few locks.
create function parcours.user_lock(p_user_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('parcours.users', 0) + abs(hashtext(p_user_id::text)) % 256;
end;
$$;

-- One create of a user at a time; none while the user is being erased.
create function parcours.lock_creations(p_user_id uuid) returns boolean
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock_shared(parcours.user_lock(p_user_id)),
          pg_advisory_xact_lock(hashtextextended('parcours.create_run ' || p_user_id, 0));
  return true;
end;
$$;

-- The earlier run of a repeated key, or null. PT422 for a key that belongs to another request.
create function parcours.find_creation(p_user_id uuid, p_idempotency_key text, p_request jsonb)
returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  earlier parcours.creations;
  run public.parcours_runs;
begin
  if p_idempotency_key is null then
    return null;
  end if;
  select * into earlier from parcours.creations
   where user_id = p_user_id and idempotency_key = p_idempotency_key
     and created_at > now() - interval '24 hours';
  if not found then
    return null;
  elsif earlier.request is distinct from p_request then
    raise sqlstate 'PT422' using message = 'this Idempotency-Key was used with another request';
  end if;
  select * into run from public.parcours_runs where id = earlier.run_id;
  return parcours.describe_run(
    run, (select count(*) from public.parcours_segments where run_id = run.id));
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
  quotas parcours.quotas := parcours.read_quotas(p_quotas);
  earlier jsonb;
  taken uuid;
  has_account boolean := parcours.check_account(p_user_id);
  locked boolean := parcours.lock_creations(p_user_id);
begin
  earlier := parcours.find_creation(p_user_id, p_idempotency_key, p_request);
  if earlier is not null then
    return jsonb_build_object('run', earlier);
  end if;
  perform parcours.check_rollout(p_user_id, p_rollout);
  perform parcours.check_quotas(p_user_id, quotas);
  insert into parcours.places (user_id, free_at)
  values (p_user_id,
          clock_timestamp() + make_interval(secs => quotas.place_s))
  returning id into taken;
  return jsonb_build_object('place', taken);
end;
$$;

-- A create has failed: its place is free.
create function public.leave_place(p_place uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  delete from parcours.places where id = p_place;
end;
$$;

-- p_place: held by admit_run; without one, or when it was held too long, the quotas are judged now.
create function public.create_run(
  p_user_id uuid, p_preset_key text, p_brief text, p_metadata jsonb, p_segments jsonb,
  p_quotas jsonb, p_idempotency_key text default null, p_request jsonb default null,
  p_rollout text default 'all', p_place uuid default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  quotas parcours.quotas := parcours.read_quotas(p_quotas);
  run public.parcours_runs;
  earlier jsonb;
  is_held boolean := false;
  has_account boolean;
  locked boolean;
  event_id bigint;
begin
  locked := parcours.lock_creations(p_user_id);
  if p_place is not null then
    delete from parcours.places
     where id = p_place and user_id = p_user_id and free_at > clock_timestamp();
    is_held := found;
  end if;
  -- With a place the account was judged by admit_run, and is once more by the trigger of the run.
  if not is_held then
    has_account := parcours.check_account(p_user_id);
  end if;
  earlier := parcours.find_creation(p_user_id, p_idempotency_key, p_request);
  if earlier is not null then
    return earlier;
  end if;
  if not is_held then
    perform parcours.check_rollout(p_user_id, p_rollout);
    perform parcours.check_quotas(p_user_id, quotas);
  end if;

  insert into public.parcours_runs (user_id, preset_key, brief, metadata)
  values (p_user_id, p_preset_key, p_brief, p_metadata)
  returning * into run;
  insert into parcours.recent_creations default values;

  insert into public.parcours_segments (run_id, segment_index, prompt, metadata)
  select run.id, place - 1, segment->>'prompt', segment - 'prompt'
    from jsonb_array_elements(p_segments) with ordinality as listed (segment, place);

  if p_idempotency_key is not null then
    -- One that is over may still be there.
    insert into parcours.creations (user_id, idempotency_key, request, run_id)
    values (p_user_id, p_idempotency_key, p_request, run.id)
        on conflict (user_id, idempotency_key) do update
       set request = excluded.request, run_id = excluded.run_id, created_at = excluded.created_at;
  end if;

  event_id := parcours.log_event(run.id, null, 'run.created', jsonb_build_object(
    'preset_key', p_preset_key, 'segments', jsonb_array_length(p_segments),
    'brief_source', case when p_metadata->>'brief_reason' = 'being_written'
                         then to_jsonb('being_written'::text) else p_metadata->'brief_source' end,
    'waited_s', p_metadata->'waited_s'));
  return parcours.describe_run(run, jsonb_array_length(p_segments));
end;
$$;

-- The brief of a run that was created before it was written (metadata.brief_reason
-- 'being_written'), once: its words, and the segments after the first, which may become more or
-- fewer. p_segments: those; null when no brief could be written, and only p_metadata says why.
-- Nothing but p_metadata's costs is taken when the run is cancelled or one of these segments has
-- been attempted: what is bought, or given up, stays as its listener has seen it. A repeated call
-- changes nothing. PT404 unknown run.
create function public.rewrite_run(
  p_run_id uuid, p_metadata jsonb, p_brief text default null, p_segments jsonb default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  run public.parcours_runs;
  refused_because text;
  facts jsonb := p_metadata;
begin
  select * into run from public.parcours_runs where id = p_run_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown run';
  end if;
  perform from public.parcours_segments
    where run_id = p_run_id order by segment_index for update;
  if run.metadata->>'brief_reason' is distinct from 'being_written' then
    return parcours.describe_run(
      run, (select count(*) from public.parcours_segments where run_id = p_run_id));
  end if;

  if p_segments is not null then
    refused_because := case
      when parcours.is_cancelled(run) then 'cancelled'
      when exists (
        select from public.parcours_segments as segment
         where run_id = p_run_id and segment_index > 0
           and (status <> 'queued' or parcours.attempts(segment) > 0)) then 'late' end;
    if refused_because is not null then
      facts := jsonb_strip_nulls(jsonb_build_object(
        'brief_reason', refused_because, 'openai_tokens', p_metadata->'openai_tokens'));
    else
      insert into public.parcours_segments (run_id, segment_index, prompt, metadata)
      select p_run_id, place, segment->>'prompt', segment - 'prompt'
        from jsonb_array_elements(p_segments) with ordinality as listed (segment, place)
          on conflict (run_id, segment_index) do update
         set prompt = excluded.prompt, metadata = parcours_segments.metadata || excluded.metadata;
      delete from public.parcours_segments
       where run_id = p_run_id and segment_index > jsonb_array_length(p_segments);
      run.brief := p_brief;
    end if;
  end if;
  update public.parcours_runs
     set brief = run.brief, metadata = metadata - 'brief_reason' || facts
   where id = p_run_id
  returning * into run;
  perform parcours.log_event(p_run_id, null, 'run.briefed', jsonb_strip_nulls(jsonb_build_object(
    'brief_source', run.metadata->'brief_source', 'brief_reason', run.metadata->'brief_reason')));
  return parcours.describe_run(
    run, (select count(*) from public.parcours_segments where run_id = p_run_id));
end;
$$;

-- What the day has come to, for whoever watches: {runs, credits}, all users together.
create function parcours.read_day() returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'runs', (select count(*) from parcours.recent_creations
              where created_at > now() - interval '24 hours'),
    'credits', (select coalesce(sum(credits), 0) from parcours.submissions
                 where claimed_at > now() - interval '24 hours'));
$$;

revoke execute on function parcours.describe_run, parcours.quota_wait_s,
  parcours.credits_wait_s, parcours.check_quotas, parcours.user_lock, parcours.lock_creations,
  parcours.find_creation, parcours.read_day from public;
revoke execute on function public.admit_run, public.leave_place, public.create_run,
  public.rewrite_run from public, anon, authenticated;
grant execute on function public.admit_run, public.leave_place, public.create_run,
  public.rewrite_run to service_role;

-- The canary (docs/specification.md#rollout): who may create runs while ROLLOUT=flags.
-- feature_flags says who has Parcours XL; the share that was set last is kept
-- in parcours.deployment.

-- At 100 whoever signs up has it too; a flag of one's own comes first.
create function parcours.has_parcours(p_user_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select coalesce(
    (select parcours_xl_enabled from public.feature_flags where user_id = p_user_id),
    (select rollout_share = 100 from parcours.deployment));
$$;

-- p_rollout: 'all', or 'flags' for those of feature_flags only (PT403 for the others).
create function parcours.check_rollout(p_user_id uuid, p_rollout text) returns void
language plpgsql set search_path = '' as $$
begin
  if p_rollout is distinct from 'all' and not parcours.has_parcours(p_user_id) then
    raise sqlstate 'PT403' using
      message = 'Parcours XL is being introduced step by step and is not open to this account yet';
  end if;
end;
$$;

-- Those among whom a share is taken: users older than 30 days; at 100, everybody.
create function parcours.rollout_users(p_share integer)
returns table (user_id uuid, enabled boolean)
language sql stable set search_path = '' as $$
  select person.id,
         person.id in (select flag.user_id from public.feature_flags as flag
                        where flag.parcours_xl_enabled)
    from auth.users as person
   where person.deleted_at is null
     and (p_share = 100 or person.created_at < now() - interval '30 days');
$$;

-- Gives Parcours XL to more users, p_limit of them a call, until p_share percent have it: who has
-- it keeps it, and the same ones come first whenever it is begun again. p_from: the share that
-- the caller saw. PT409 when that has changed, or when the share would shrink.
create function public.grow_rollout(
  p_share integer, p_limit integer, p_from integer default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  current_share integer;
  missing integer;
  given integer;
begin
  if p_share not between 1 and 100 then
    raise sqlstate 'PT400' using message = 'a share is a percentage from 1 to 100';
  end if;
  select rollout_share into current_share from parcours.deployment for update;
  if p_share < current_share then
    raise sqlstate 'PT409' using message = format(
      '%s %% have Parcours XL already: a share only grows, or ends', current_share);
  end if;
  if current_share not in (p_from, p_share) then
    raise sqlstate 'PT409' using
      message = format('the share has become %s %% meanwhile', current_share);
  end if;
  update parcours.deployment set rollout_share = p_share, rollout_since = now()
   where rollout_share <> p_share;

  select ceil(count(*) * p_share / 100.0) - count(*) filter (where enabled)
    into missing from parcours.rollout_users(p_share);
  insert into public.feature_flags (user_id, parcours_xl_enabled)
  select user_id, true from parcours.rollout_users(p_share)
   where not enabled order by md5(user_id::text) limit least(greatest(missing, 0), p_limit)
      on conflict (user_id) do update set parcours_xl_enabled = true;
  get diagnostics given = row_count;
  return jsonb_build_object('share', p_share, 'given', given,
                            'remaining', greatest(missing - given, 0));
end;
$$;

-- Takes Parcours XL from everybody, p_limit users a call.
create function public.end_rollout(p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  taken integer;
begin
  perform from parcours.deployment for update;
  update parcours.deployment set rollout_share = 0, rollout_since = now()
   where rollout_share <> 0;
  update public.feature_flags set parcours_xl_enabled = false
   where user_id in (
     select user_id from public.feature_flags where parcours_xl_enabled limit p_limit);
  get diagnostics taken = row_count;
  return jsonb_build_object('taken', taken, 'remaining', (
    select count(*) from public.feature_flags where parcours_xl_enabled));
end;
$$;

-- How far the rollout is. eligible: users older than 30 days.
create function public.read_rollout() returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
           'share', rollout_share, 'since', rollout_since,
           'users', (select count(*) from parcours.rollout_users(100)),
           'enabled', (select count(*) from public.feature_flags where parcours_xl_enabled),
           'eligible', eligible.users, 'eligible_enabled', eligible.enabled)
    from parcours.deployment,
         (select count(*) as users, count(*) filter (where enabled) as enabled
            from parcours.rollout_users(1)) as eligible;
$$;

revoke execute on function parcours.has_parcours, parcours.check_rollout, parcours.rollout_users
  from public;
revoke execute on function public.grow_rollout, public.end_rollout, public.read_rollout
  from public, anon, authenticated;
grant execute on function public.grow_rollout, public.end_rollout, public.read_rollout
  to service_role;
