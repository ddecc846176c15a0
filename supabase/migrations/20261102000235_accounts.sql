-- Accounts that Auth still lists and that may no longer be used: soft-deleted ones, whose data is
-- erased as for a deletion, and banned ones, whose data stays. An access token that was given out
-- before is still valid for its lifetime, so the functions ask here.

-- PT401 deleted, PT403 banned. An account that Auth does not list is judged elsewhere
-- (parcours.refuse_erased_user).
create function parcours.check_account(p_user_id uuid) returns void
language plpgsql stable set search_path = '' as $$
declare
  account auth.users;
begin
  select * into account from auth.users where id = p_user_id;
  if account.deleted_at is not null then
    raise sqlstate 'PT401' using message = 'this account was deleted';
  elsif account.banned_until > now() then
    raise sqlstate 'PT403' using message = 'this account is banned';
  end if;
end;
$$;

-- A create that was admitted before.
create function parcours.refuse_unusable_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform parcours.check_account(new.user_id);
  return new;
end;
$$;
create trigger refuse_unusable_account before insert on public.parcours_runs
  for each row execute function parcours.refuse_unusable_account();

create function parcours.erase_soft_deleted_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform parcours.erase_runs(new.id, null);
  return null;
end;
$$;

do $$
begin
  create trigger erase_soft_deleted_user after update of deleted_at on auth.users
    for each row when (old.deleted_at is null and new.deleted_at is not null)
    execute function parcours.erase_soft_deleted_user();
exception when insufficient_privilege then
  raise warning '% may put no trigger on auth.users: the data of soft-deleted users is erased by'
    ' the maintenance loop of the workers, within minutes', current_user;
end;
$$;

-- Erases what is left of users who are gone and whom no trigger told of, p_limit users a call: how
-- many it were. Users whom Auth lists no more are only gone where no trigger tells of deletions,
-- and only while Auth lists anybody at all (a project that is being restored lists nobody).
create function public.erase_departed(p_limit integer default 100) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  departed_id uuid;
  erased integer := 0;
  trusts_triggers boolean := exists (
    select from pg_catalog.pg_trigger
     where tgrelid = 'auth.users'::regclass and tgname like 'erase\_deleted\_user%');
begin
  if row_security_active('auth.users') then
    raise sqlstate 'PT403' using message = 'the users of Auth cannot all be seen here';
  end if;
  for departed_id in
    select user_id from (
      select user_id from public.parcours_runs union select user_id from public.feature_flags
    ) as ours left join auth.users as account on account.id = user_id
     where account.deleted_at is not null
        or account.id is null and not trusts_triggers and exists (select from auth.users)
     order by user_id limit p_limit
  loop
    perform parcours.erase_runs(departed_id, null);
    insert into parcours.erased_users (user_id) values (departed_id)
      on conflict (user_id) do update set erased_at = now();
    erased := erased + 1;
  end loop;
  return erased;
end;
$$;

revoke execute on function parcours.check_account, parcours.refuse_unusable_account,
  parcours.erase_soft_deleted_user from public;
revoke execute on function public.erase_departed from public, anon, authenticated;
grant execute on function public.erase_departed to service_role;
