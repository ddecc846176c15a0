-- The limits of the service, typed and checked: the one place from which the functions read them.
-- The service writes its settings when it starts, and names them by their id from then on, so that
-- two deployments, or an operator's command, never change each other's. An active run keeps those
-- that it was started with. See docs/specification.md#timings.

-- One row for each different set of settings. Times in seconds.
create table parcours.limits (
  id bigint generated always as identity primary key,
  written_at timestamptz not null default now(),
  -- Suno is asked about an attempt without `first`, without `complete`, and given up.
  first_s double precision not null check (first_s > 0),
  complete_s double precision not null check (complete_s > first_s),
  give_up_s double precision not null check (give_up_s > complete_s),
  -- An attempt that nobody has heard of becomes a new one.
  unanswered_s double precision not null check (unanswered_s > 0),
  -- Pauses of one attempt, and of a run, that Suno has put off.
  retry_s double precision[] not null check (0 <= all (retry_s)),
  retry_later_s double precision[] not null check (0 <= all (retry_later_s)),
  -- How long the owner of a run waits for it.
  waits_s double precision not null check (waits_s > 0),
  attempts_automatic integer not null check (attempts_automatic >= 0),
  attempts_max integer not null check (attempts_max >= attempts_automatic),
  -- At most requests_max requests to Suno in requests_window_s; one that nobody closed is over
  -- after request_s_max.
  requests_max integer not null check (requests_max >= 1),
  requests_window_s double precision not null check (requests_window_s > 0),
  request_s_max double precision not null check (request_s_max > 0),
  -- Questions: so many an attempt, and the share of all requests that they may take.
  questions_max integer not null check (questions_max >= 0),
  questions_share double precision not null check (questions_share >= 0 and questions_share <= 1),
  credits_a_segment integer not null check (credits_a_segment > 0),
  -- Null: none.
  credits_daily_max integer check (credits_daily_max > 0),
  -- What the doctor goes by: a segment is stuck; a track is not restored again; a failure is old.
  stuck_s double precision not null check (stuck_s >= 0),
  restore_pause_s double precision not null check (restore_pause_s >= 0),
  failed_age_s double precision not null check (failed_age_s >= 0),
  constraint limits_once unique nulls not distinct (
    first_s, complete_s, give_up_s, unanswered_s, retry_s, retry_later_s, waits_s,
    attempts_automatic, attempts_max, requests_max, requests_window_s, request_s_max,
    questions_max, questions_share, credits_a_segment, credits_daily_max, stuck_s,
    restore_pause_s, failed_age_s)
);

-- Answers the id of these limits. Raises 22023 naming what is missing, 23514 when they contradict
-- each other. Sets that no run has used for 90 days are deleted.
create function public.write_limits(p_limits jsonb) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  missing text := (
    select string_agg(attname, ', ' order by attnum) from pg_catalog.pg_attribute
     where attrelid = 'parcours.limits'::regclass and attnum > 0 and not attisdropped
       and attname not in ('id', 'written_at')
       and (not p_limits ? attname
            or attnotnull and jsonb_typeof(p_limits->attname::text) = 'null'));
  given parcours.limits;
  written_id bigint;
begin
  if missing is not null then
    raise sqlstate '22023' using message = format('the limit %s is missing', missing);
  end if;
  delete from parcours.limits as old
   where written_at < now() - interval '90 days'
     and not exists (select from parcours.active_runs where limits_id = old.id);
  given := jsonb_populate_record(null::parcours.limits, p_limits);
  insert into parcours.limits (
    first_s, complete_s, give_up_s, unanswered_s, retry_s, retry_later_s, waits_s,
    attempts_automatic, attempts_max, requests_max, requests_window_s, request_s_max,
    questions_max, questions_share, credits_a_segment, credits_daily_max, stuck_s,
    restore_pause_s, failed_age_s)
  values (
    given.first_s, given.complete_s, given.give_up_s, given.unanswered_s, given.retry_s,
    given.retry_later_s, given.waits_s, given.attempts_automatic, given.attempts_max,
    given.requests_max, given.requests_window_s, given.request_s_max, given.questions_max,
    given.questions_share, given.credits_a_segment, given.credits_daily_max, given.stuck_s,
    given.restore_pause_s, given.failed_age_s)
  on conflict on constraint limits_once do update set written_at = now()
  returning id into written_id;
  return written_id;
end;
$$;

-- Limits that are not there let nothing through. PT409 with the hint 'limits': write them again.
create function parcours.read_limits(p_limits_id bigint) returns parcours.limits
language plpgsql stable set search_path = '' as $$
declare
  limits parcours.limits;
begin
  select * into limits from parcours.limits where id = p_limits_id;
  if limits.id is null then
    raise sqlstate 'PT409' using
      message = 'these limits were not written to this database', hint = 'limits';
  end if;
  return limits;
end;
$$;

-- What a create is held to, with each call of admit_run and create_run. Null maxima: none.
create type parcours.quotas as (
  runs_daily_user integer,
  runs_daily_max integer,
  credits_a_segment integer,
  credits_daily_max integer,
  place_s double precision
);

-- Raises 22023 naming what is missing.
create function parcours.read_quotas(p_quotas jsonb) returns parcours.quotas
language plpgsql immutable set search_path = '' as $$
declare
  quotas parcours.quotas := jsonb_populate_record(null::parcours.quotas, p_quotas);
begin
  if quotas.runs_daily_user is null or quotas.credits_a_segment is null
     or quotas.place_s is null
     or not p_quotas ?& array['runs_daily_max', 'credits_daily_max'] then
    raise sqlstate '22023' using message = 'a quota is missing';
  end if;
  return quotas;
end;
$$;

revoke execute on function parcours.read_limits, parcours.read_quotas from public;
revoke execute on function public.write_limits from public, anon, authenticated;
grant execute on function public.write_limits to service_role;

-- What there is once in a deployment: one row, typed, each column with its own writer.
create table parcours.deployment (
  one_row boolean primary key default true check (one_row),
  -- The share of users that the rollout has reached, and when it was set (grow_rollout).
  rollout_share integer not null default 0 check (rollout_share between 0 and 100),
  rollout_since timestamptz not null default now(),
  -- What Suno said last of our credits (record_credits).
  suno_credits double precision,
  suno_credits_read_at timestamptz,
  -- Which worker does the maintenance, and when the next round is due (acquire_maintenance).
  maintenance_holder text,
  maintenance_lease_until timestamptz not null default '-infinity',
  maintenance_due_at timestamptz
);
insert into parcours.deployment default values;

-- Suno takes 20 requests in 10 seconds, all workers together. A request holds a slot from its
-- reservation until one window after its answer, by this database's clock alone: two requests
-- of one slot can then never reach Suno within one window. See docs/specification.md#suno-quota.

-- kind: 'submit' asks for music, 'ask' is any question. Questions take at most questions_share of
-- the slots (one at least), so that what is bought never waits for what is only asked.
create table parcours.suno_requests (
  slot bigint generated always as identity primary key,
  kind text not null check (kind in ('submit', 'ask')),
  reserved_at timestamptz not null,
  answered_at timestamptz
);

-- How many slots submissions of this user may find taken. Every second request of theirs lately
-- leaves one slot more to whoever has asked for less, up to a fifth of all: a crowd of runs of few
-- users makes nobody else wait, and even a crowd of newcomers lets the newest through.
create function parcours.slots_for(p_limits parcours.limits, p_asked bigint) returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return greatest(
    1, p_limits.requests_max - least(ceil(p_asked / 2.0), floor(p_limits.requests_max * 0.2)));
end;
$$;

-- The seconds until a submission of this user may find a slot; 0 when it does now. Takes none.
create function parcours.slot_wait_s(p_limits parcours.limits, p_asked bigint) returns numeric
language plpgsql volatile set search_path = '' as $$
declare
  win interval := make_interval(secs => p_limits.requests_window_s);
  silence interval := make_interval(secs => p_limits.request_s_max);
  taken integer;
  frees_at timestamptz;
begin
  select count(*), min(coalesce(answered_at, clock_timestamp())) + win into taken, frees_at
    from parcours.suno_requests
   where coalesce(answered_at, reserved_at + silence) + win >= clock_timestamp();
  if taken < parcours.slots_for(p_limits, p_asked) then
    return 0;
  end if;
  return greatest(0.05, extract(epoch from frees_at - clock_timestamp()));
end;
$$;

-- A slot, or the seconds until one may be free.
create function parcours.try_slot(
  p_limits parcours.limits, p_kind text, p_asked bigint, out reserved bigint, out wait_s numeric
)
language plpgsql set search_path = '' as $$
declare
  win interval := make_interval(secs => p_limits.requests_window_s);
  silence interval := make_interval(secs => p_limits.request_s_max);
  submissions integer := parcours.slots_for(p_limits, p_asked);
  questions integer := greatest(1, floor(p_limits.requests_max * p_limits.questions_share));
  now_at timestamptz;
  taken record;
  frees_at timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('parcours.suno_requests', 0));
  now_at := clock_timestamp();

  -- A caller that died never says that Suno answered: its request is over when it must be.
  select count(*) filter (where holds) as requests,
         min(coalesce(answered_at, now_at)) filter (where holds) as ends_at,
         count(*) filter (where holds and kind = 'ask') as questions,
         min(coalesce(answered_at, now_at)) filter (where holds and kind = 'ask')
           as question_ends_at,
         count(*) filter (where not holds) as over
    into taken
    from (select kind, answered_at, coalesce(answered_at, reserved_at + silence) + win >= now_at
                   as holds
            from parcours.suno_requests) as requests;
  -- Some at a time: one by one, every request would delete one.
  if taken.over > p_limits.requests_max then
    delete from parcours.suno_requests
     where coalesce(answered_at, reserved_at + silence) + win < now_at;
  end if;
  if taken.requests >= p_limits.requests_max
     or p_kind = 'submit' and taken.requests >= submissions then
    frees_at := taken.ends_at + win;
  elsif p_kind = 'ask' and taken.questions >= questions then
    frees_at := taken.question_ends_at + win;
  end if;
  if frees_at is null then
    insert into parcours.suno_requests (kind, reserved_at) values (p_kind, now_at)
    returning slot into reserved;
  else
    wait_s := round(greatest(0.05, extract(epoch from frees_at - now_at))::numeric, 2);
  end if;
end;
$$;

-- A slot, or PT429 with the seconds to wait in detail.
create function parcours.reserve_slot(
  p_limits parcours.limits, p_kind text, p_asked bigint default 0
) returns bigint
language plpgsql set search_path = '' as $$
declare
  tried record := parcours.try_slot(p_limits, p_kind, p_asked);
begin
  if tried.reserved is null then
    raise sqlstate 'PT429' using
      message = 'the Suno quota is full', detail = tried.wait_s::text, hint = 'suno_quota';
  end if;
  return tried.reserved;
end;
$$;

-- For a question that concerns no attempt: credits, or what the doctor wants to know.
create function public.reserve_suno_request(p_limits_id bigint) returns bigint
language plpgsql security definer set search_path = '' as $$
begin
  return parcours.reserve_slot(parcours.read_limits(p_limits_id), 'ask');
end;
$$;

create function public.answer_suno_request(p_slot bigint) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.suno_requests set answered_at = clock_timestamp()
   where slot = p_slot and answered_at is null;
end;
$$;

revoke execute on function parcours.slots_for, parcours.slot_wait_s, parcours.try_slot,
  parcours.reserve_slot from public;
revoke execute on function public.reserve_suno_request, public.answer_suno_request
  from public, anon, authenticated;
grant execute on function public.reserve_suno_request, public.answer_suno_request to service_role;
