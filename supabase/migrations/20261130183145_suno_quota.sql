-- Suno takes 20 requests in 10 seconds, all workers together. A request holds a slot from its
-- reservation until one window after its answer, by this database's clock alone: two requests
-- of one slot can then never reach Suno within one window.

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
create function parcours.slots_for(p_limits jsonb, p_asked bigint) returns integer
language plpgsql immutable set search_path = '' as $$
declare
  slots integer := parcours.limit_of(p_limits, 'requests_max');
begin
  return greatest(1, slots - least(ceil(p_asked / 2.0), ceil(slots * 0.2)));
end;
$$;

-- The seconds until a submission of this user may find a slot; 0 when it does now. Takes none.
create function parcours.slot_wait_s(p_limits jsonb, p_asked bigint) returns numeric
language plpgsql volatile set search_path = '' as $$
declare
  win interval := parcours.seconds(p_limits, 'requests_window_s');
  silence interval := parcours.seconds(p_limits, 'request_s_max');
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
  p_limits jsonb, p_kind text, p_asked bigint, out reserved bigint, out wait_s numeric
)
language plpgsql set search_path = '' as $$
declare
  win interval := parcours.seconds(p_limits, 'requests_window_s');
  silence interval := parcours.seconds(p_limits, 'request_s_max');
  slots integer := parcours.limit_of(p_limits, 'requests_max');
  questions integer := greatest(1, floor(slots * parcours.limit_of(p_limits, 'questions_share')));
  now_at timestamptz;
  frees_at timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('parcours.suno_requests', 0));
  now_at := clock_timestamp();

  -- A caller that died never says that Suno answered: its request is over when it must be.
  delete from parcours.suno_requests
   where coalesce(answered_at, reserved_at + silence) + win < now_at;

  select case
           when count(*) >= slots
             or p_kind = 'submit' and count(*) >= parcours.slots_for(p_limits, p_asked)
             then min(coalesce(answered_at, now_at)) + win
           when p_kind = 'ask' and count(*) filter (where kind = 'ask') >= questions
             then min(coalesce(answered_at, now_at)) filter (where kind = 'ask') + win
         end
    into frees_at from parcours.suno_requests;
  if frees_at is null then
    insert into parcours.suno_requests (kind, reserved_at) values (p_kind, now_at)
    returning slot into reserved;
  else
    wait_s := round(greatest(0.05, extract(epoch from frees_at - now_at))::numeric, 2);
  end if;
end;
$$;

-- A slot, or PT429 with the seconds to wait in detail.
create function parcours.reserve_slot(p_limits jsonb, p_kind text, p_asked bigint default 0)
returns bigint
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
create function public.reserve_suno_request(p_limits jsonb) returns bigint
language sql security definer set search_path = '' as $$
  select parcours.reserve_slot(p_limits, 'ask');
$$;

create function public.answer_suno_request(p_slot bigint) returns void
language sql security definer set search_path = '' as $$
  update parcours.suno_requests set answered_at = clock_timestamp()
   where slot = p_slot and answered_at is null;
$$;

revoke execute on function parcours.slots_for, parcours.slot_wait_s, parcours.try_slot, parcours.reserve_slot from public;
revoke execute on function public.reserve_suno_request, public.answer_suno_request
  from public, anon, authenticated;
grant execute on function public.reserve_suno_request, public.answer_suno_request to service_role;
