-- Work that one worker at a time does for all: whoever takes the turn has it until it is ended,
-- or its lease is over. The next one is due p_every_s after this one began.

create table parcours.turns (
  name text primary key,
  holder text not null,
  lease_until timestamptz not null,
  next_at timestamptz not null
);

create function public.take_turn(
  p_name text, p_holder text, p_every_s numeric, p_lease_s numeric
) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  taken boolean;
begin
  insert into parcours.turns as turn (name, holder, lease_until, next_at)
  values (p_name, p_holder, clock_timestamp() + make_interval(secs => p_lease_s),
          clock_timestamp() + make_interval(secs => p_every_s))
      on conflict (name) do update
     set holder = excluded.holder, lease_until = excluded.lease_until, next_at = excluded.next_at
   where turn.lease_until <= clock_timestamp() and turn.next_at <= clock_timestamp()
  returning true into taken;
  return coalesce(taken, false);
end;
$$;

create function public.end_turn(p_name text, p_holder text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.turns set lease_until = clock_timestamp()
   where name = p_name and holder = p_holder;
  return found;
end;
$$;

revoke execute on function public.take_turn, public.end_turn from public, anon, authenticated;
grant execute on function public.take_turn, public.end_turn to service_role;
