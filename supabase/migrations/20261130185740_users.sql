-- Erasure. When a run goes, whoever deletes it, its files go too: a job of kind 'erase' on the
-- tracks queue. When a user goes from auth.users, everything of theirs goes.

-- Runs whose files are still to be deleted, written with the deletion itself. The queue hears of
-- them from whoever looks for work: a deletion neither waits for the queue nor fails with it, and
-- a message that is lost is sent again.
create table parcours.erasures (
  run_id uuid primary key,
  msg_id bigint,
  erased_at timestamptz not null default now()
);

create function parcours.note_erasures() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into parcours.erasures (run_id) select id from erased on conflict do nothing;
  delete from public.parcours_events where run_id in (select id from erased);
  -- What the day has cost stays known, and not whose it was.
  update parcours.submissions as submission
     set user_id = null, run_id = null, segment_id = null
    from erased where submission.run_id = erased.id;
  return null;
end;
$$;

create trigger note_erasures after delete on public.parcours_runs
  referencing old table as erased
  for each statement execute function parcours.note_erasures();

create function parcours.queue_erasures() returns void
language plpgsql set search_path = '' as $$
declare
  erasure record;
begin
  for erasure in
    select run_id from parcours.erasures as e
     where not exists (select from pgmq.q_parcours_tracks as q where q.msg_id = e.msg_id)
     order by erased_at limit 100 for update skip locked
  loop
    update parcours.erasures set msg_id = (
             select sent from pgmq.send('parcours_tracks', jsonb_build_object(
               'kind', 'erase', 'run_id', erasure.run_id)) as sent)
     where run_id = erasure.run_id
       -- Sent since this look began? Only a statement of its own, behind the lock, sees that.
       and not exists (select from pgmq.q_parcours_tracks as q where q.msg_id = erasures.msg_id);
  end loop;
end;
$$;

-- The files of these runs are gone.
create function public.record_erasures(p_run_ids uuid[]) returns void
language sql security definer set search_path = '' as $$
  delete from parcours.erasures where run_id = any (p_run_ids);
$$;

-- Erases a user's runs with all that hangs on them, p_limit of them, oldest id first.
create function parcours.erase_runs(p_user_id uuid, p_limit integer) returns uuid[]
language plpgsql set search_path = '' as $$
declare
  doomed uuid[];
begin
  -- Nobody creates a run of theirs meanwhile.
  perform pg_advisory_xact_lock(parcours.user_lock(p_user_id));
  doomed := array(
    select id from public.parcours_runs
     where user_id = p_user_id order by id limit p_limit for update);
  delete from public.parcours_runs where id = any (doomed);
  delete from parcours.places where user_id = p_user_id;
  delete from parcours.reserve_heard where user_id = p_user_id;
  delete from public.feature_flags where user_id = p_user_id;
  return doomed;
end;
$$;

-- What Parcours XL holds of a user, p_limit runs a call; the account stays. Whoever calls may
-- delete the files at once and say so (record_erasures), or leave them to the workers.
create function public.erase_user(p_user_id uuid, p_limit integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  erased uuid[] := parcours.erase_runs(p_user_id, p_limit);
begin
  return jsonb_build_object('run_ids', erased, 'remaining', (
    select count(*) from public.parcours_runs where user_id = p_user_id));
end;
$$;

-- Users who were deleted, until no access token of theirs can be valid any more (a project may
-- let them live a week): with one, a run would be created that nobody ever erases.
create table parcours.erased_users (
  user_id uuid primary key,
  erased_at timestamptz not null default now()
);

-- For all users of one statement together: a lock for each would not fit into shared memory when
-- many are deleted at once.
create function parcours.erase_deleted_users() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  lock_key bigint;
begin
  -- Nobody creates a run of theirs meanwhile. In one order, so that two deletions cannot wait for
  -- one another.
  for lock_key in select distinct parcours.user_lock(id) from deleted order by 1 loop
    perform pg_advisory_xact_lock(lock_key);
  end loop;
  perform from public.parcours_runs
    where user_id in (select id from deleted) order by id for update;
  delete from public.parcours_runs where user_id in (select id from deleted);
  delete from parcours.places where user_id in (select id from deleted);
  delete from parcours.reserve_heard where user_id in (select id from deleted);
  delete from public.feature_flags where user_id in (select id from deleted);
  delete from parcours.erased_users where erased_at < now() - interval '8 days';
  insert into parcours.erased_users (user_id) select id from deleted
    on conflict (user_id) do update set erased_at = now();
  return null;
end;
$$;

-- Auth deletes as a role of its own, which may do nothing here: the function runs as its owner.
-- Where no trigger may be put on auth.users, the maintenance loop finds who is gone.
do $$
begin
  create trigger erase_deleted_users after delete on auth.users
    referencing old table as deleted
    for each statement execute function parcours.erase_deleted_users();
exception when insufficient_privilege then
  raise warning '% may put no trigger on auth.users: the data of deleted users is erased by the'
    ' maintenance loop of the workers, within minutes', current_user;
end;
$$;

revoke execute on function parcours.note_erasures, parcours.queue_erasures, parcours.erase_runs,
  parcours.erase_deleted_users from public;
revoke execute on function public.record_erasures, public.erase_user
  from public, anon, authenticated;
grant execute on function public.record_erasures, public.erase_user to service_role;

-- Accounts that Auth still lists and that may no longer be used: soft-deleted ones, whose data is
-- erased as for a deletion, and banned ones, whose data stays. An access token that was given out
-- before is still valid for its lifetime, so the functions ask here.

-- Does Auth list this account? PT401 deleted, PT403 banned.
create function parcours.check_account(p_user_id uuid) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  account record;
begin
  select id, deleted_at, banned_until into account from auth.users where id = p_user_id;
  if account.deleted_at is not null then
    raise sqlstate 'PT401' using message = 'this account was deleted';
  elsif account.banned_until > now() then
    raise sqlstate 'PT403' using message = 'this account is banned';
  end if;
  return account.id is not null;
end;
$$;

-- A create that was admitted before.
create function parcours.refuse_unusable_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not parcours.check_account(new.user_id)
     and exists (select from parcours.erased_users where user_id = new.user_id) then
    raise sqlstate 'PT401' using message = 'this account was deleted';
  end if;
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
  departed uuid[];
  departed_id uuid;
  trusts_triggers boolean := exists (
    select from pg_catalog.pg_trigger
     where tgrelid = 'auth.users'::regclass and tgname like 'erase\_deleted\_user%');
begin
  if row_security_active('auth.users') then
    raise sqlstate 'PT403' using message = 'the users of Auth cannot all be seen here';
  end if;
  departed := array(
    with deleted as materialized (select id from auth.users where deleted_at is not null)
    select id from deleted
     where exists (select from public.parcours_runs where user_id = deleted.id)
        or exists (select from public.feature_flags where user_id = deleted.id)
        or exists (select from parcours.reserve_heard where user_id = deleted.id)
     order by id limit p_limit);
  if not trusts_triggers and exists (select from auth.users) then
    departed := departed || array(
      select user_id from (
        select user_id from public.parcours_runs union select user_id from public.feature_flags
        union select user_id from parcours.reserve_heard
      ) as ours
       where not exists (select from auth.users where id = user_id)
       order by user_id limit p_limit - cardinality(departed));
  end if;
  foreach departed_id in array departed loop
    perform parcours.erase_runs(departed_id, null);
    insert into parcours.erased_users (user_id) values (departed_id)
      on conflict (user_id) do update set erased_at = now();
  end loop;
  return cardinality(departed);
end;
$$;

revoke execute on function parcours.check_account, parcours.refuse_unusable_account,
  parcours.erase_soft_deleted_user from public;
revoke execute on function public.erase_departed from public, anon, authenticated;
grant execute on function public.erase_departed to service_role;

-- What we hold of a user, for the user (`parcours export`), and who is meant by a name.

-- By id or e-mail address. has_account: false for somebody deleted of whom runs are left. PT404
-- nobody; PT409 several.
create function public.find_user(p_name text) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  named_id uuid := case when p_name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                        then p_name::uuid end;
  found_ids uuid[] := array(
    select id from auth.users where id = named_id or lower(email) = lower(p_name) limit 2);
begin
  if cardinality(found_ids) > 1 then
    raise sqlstate 'PT409' using message = 'several users have this address: name one by its id';
  elsif cardinality(found_ids) = 1 then
    return (
      select jsonb_build_object('id', id, 'email', email, 'created_at', created_at,
                                'has_account', true)
        from auth.users where id = found_ids[1]);
  elsif exists (select from public.parcours_runs where user_id = named_id)
     or exists (select from public.feature_flags where user_id = named_id) then
    return jsonb_build_object('id', named_id, 'has_account', false);
  end if;
  raise sqlstate 'PT404' using message = 'unknown user';
end;
$$;

-- A user's runs with all that hangs on them, but for our own secrets: p_limit of them after
-- p_after, in the order of their ids.
create function public.read_personal_data(
  p_user_id uuid, p_limit integer, p_after uuid default null
) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'parcours_xl_enabled', (
      select parcours_xl_enabled from public.feature_flags where user_id = p_user_id),
    'reserve_heard', coalesce((
      select jsonb_agg(jsonb_build_object('piece_id', piece_id, 'given_at', given_at)
                       order by given_at)
        from parcours.reserve_heard where user_id = p_user_id), '[]'),
    'runs', coalesce((
      select jsonb_agg(to_jsonb(run) || jsonb_build_object(
               'segments', (
                 select coalesce(jsonb_agg(to_jsonb(segment) - 'callback_token'
                                           order by segment.segment_index), '[]')
                   from public.parcours_segments as segment where segment.run_id = run.id),
               'events', (
                 select coalesce(jsonb_agg(to_jsonb(event) - 'run_id' order by event.id), '[]')
                   from public.parcours_events as event where event.run_id = run.id),
               'idempotency_keys', (
                 select coalesce(jsonb_agg(to_jsonb(creation) - 'run_id' - 'user_id'
                                           order by creation.created_at), '[]')
                   from parcours.creations as creation where creation.run_id = run.id))
             order by run.id)
        from (select * from public.parcours_runs
               where user_id = p_user_id and (p_after is null or id > p_after)
               order by id limit p_limit) as run), '[]'));
$$;

-- What Auth has written down of a user's sign-ins, newest first; null where it cannot be read.
create function public.read_auth_log(p_user_id uuid, p_limit integer default 500) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  entries jsonb;
begin
  if to_regclass('auth.audit_log_entries') is null
     or not has_table_privilege('auth.audit_log_entries', 'select') then
    return null;
  end if;
  execute 'select coalesce(jsonb_agg(to_jsonb(entry) order by created_at desc), ''[]'')'
          '  from (select * from auth.audit_log_entries'
          '         where $1::text in (payload->>''actor_id'', payload->''traits''->>''user_id'')'
          '         order by created_at desc limit $2) as entry'
    into entries using p_user_id, p_limit;
  return entries;
end;
$$;

revoke execute on function public.find_user, public.read_personal_data, public.read_auth_log
  from public, anon, authenticated;
grant execute on function public.find_user, public.read_personal_data, public.read_auth_log
  to service_role;
