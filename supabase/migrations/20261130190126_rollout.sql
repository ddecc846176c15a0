-- The canary (runbook, "Rollout canary"): who may create runs while ROLLOUT=flags.
-- feature_flags says who has Parcours XL; the share that was set last is kept beside it.

create table parcours.rollout (
  one_row boolean primary key default true check (one_row),
  share integer not null check (share between 0 and 100),
  since timestamptz not null
);
insert into parcours.rollout (share, since) values (0, now());

-- At 100 whoever signs up has it too; a flag of one's own comes first.
create function parcours.has_parcours(p_user_id uuid) returns boolean
language sql stable set search_path = '' as $$
  select coalesce(
    (select parcours_xl_enabled from public.feature_flags where user_id = p_user_id),
    (select share = 100 from parcours.rollout));
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
  select share into current_share from parcours.rollout for update;
  if p_share < current_share then
    raise sqlstate 'PT409' using message = format(
      '%s %% have Parcours XL already: a share only grows, or ends', current_share);
  end if;
  if current_share not in (p_from, p_share) then
    raise sqlstate 'PT409' using
      message = format('the share has become %s %% meanwhile', current_share);
  end if;
  update parcours.rollout set share = p_share, since = now() where share <> p_share;

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
  perform from parcours.rollout for update;
  update parcours.rollout set share = 0, since = now() where share <> 0;
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
           'share', share, 'since', since,
           'users', (select count(*) from parcours.rollout_users(100)),
           'enabled', (select count(*) from public.feature_flags where parcours_xl_enabled),
           'eligible', eligible.users, 'eligible_enabled', eligible.enabled)
    from parcours.rollout,
         (select count(*) as users, count(*) filter (where enabled) as enabled
            from parcours.rollout_users(1)) as eligible;
$$;

revoke execute on function parcours.has_parcours, parcours.check_rollout, parcours.rollout_users
  from public;
revoke execute on function public.grow_rollout, public.end_rollout, public.read_rollout
  from public, anon, authenticated;
grant execute on function public.grow_rollout, public.end_rollout, public.read_rollout
  to service_role;
