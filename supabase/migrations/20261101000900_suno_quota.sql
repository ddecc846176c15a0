-- Suno takes 20 requests in 10 seconds, all workers together. A request holds a slot from its
-- reservation until one window after its answer, by this database's clock alone: two requests
-- of one slot can then never reach Suno within one window.

create table parcours.suno_requests (
  slot bigint generated always as identity primary key,
  reserved_at timestamptz not null,
  answered_at timestamptz
);

-- A slot, or PT429 with the seconds to wait in detail.
create function parcours.reserve_slot(p_limits jsonb) returns bigint
language plpgsql set search_path = '' as $$
declare
  win interval := make_interval(secs => (p_limits->>'requests_window_s')::numeric);
  silence interval := make_interval(secs => (p_limits->>'request_s_max')::numeric);
  now_at timestamptz;
  frees_at timestamptz;
  taken integer;
  reserved bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('parcours.suno_requests', 0));
  now_at := clock_timestamp();

  -- A caller that died never says that Suno answered: its request is over when it must be.
  delete from parcours.suno_requests
   where coalesce(answered_at, reserved_at + silence) + win < now_at;

  select count(*), min(coalesce(answered_at, now_at)) + win
    into taken, frees_at from parcours.suno_requests;
  if taken >= (p_limits->>'requests_max')::integer then
    raise sqlstate 'PT429' using
      message = 'the Suno quota is full',
      detail = greatest(0.05, extract(epoch from frees_at - now_at))::numeric(12, 2)::text,
      hint = 'suno_quota';
  end if;

  insert into parcours.suno_requests (reserved_at) values (now_at) returning slot into reserved;
  return reserved;
end;
$$;

create function public.reserve_suno_request(p_limits jsonb) returns bigint
language sql security definer set search_path = '' as $$
  select parcours.reserve_slot(p_limits);
$$;

create function public.answer_suno_request(p_slot bigint) returns void
language sql security definer set search_path = '' as $$
  update parcours.suno_requests set answered_at = clock_timestamp()
   where slot = p_slot and answered_at is null;
$$;

revoke execute on function parcours.reserve_slot from public;
revoke execute on function public.reserve_suno_request, public.answer_suno_request
  from public, anon, authenticated;
grant execute on function public.reserve_suno_request, public.answer_suno_request to service_role;
