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

create function parcours.refuse_erased_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from parcours.erased_users where user_id = new.user_id)
     and not exists (select from auth.users where id = new.user_id) then
    raise sqlstate 'PT401' using message = 'this account was deleted';
  end if;
  return new;
end;
$$;

create trigger refuse_erased_user before insert on public.parcours_runs
  for each row execute function parcours.refuse_erased_user();

revoke execute on function parcours.note_erasures, parcours.queue_erasures, parcours.erase_runs,
  parcours.erase_deleted_users, parcours.refuse_erased_user from public;
revoke execute on function public.record_erasures, public.erase_user
  from public, anon, authenticated;
grant execute on function public.record_erasures, public.erase_user to service_role;
