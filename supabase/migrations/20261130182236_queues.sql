-- Supabase Queues carry the work from a state change to whoever does it.
--   parcours_generation  one message for each active run, invisible until the run's next deadline
--   parcours_tracks      tracks to store
-- Only what pgmq 1.5.1 has is used. A message is deleted when its work is done.

do $$
declare
  name text;
begin
  if not exists (select from pg_namespace where nspname = 'pgmq') then
    create extension pgmq;
  elsif to_regprocedure('pgmq.create(text)') is null then
    raise exception 'the schema pgmq is there, and it is not that of Supabase Queues';
  elsif not has_schema_privilege('pgmq', 'usage')
        or not has_schema_privilege('pgmq', 'create') then
    raise exception 'the schema pgmq belongs to %, and % may make no queue in it',
      (select nspowner::regrole from pg_namespace where nspname = 'pgmq'), current_user
      using hint = format('As its owner: grant all on schema pgmq to %1$I;'
        ' grant all on all tables in schema pgmq to %1$I;'
        ' grant all on all sequences in schema pgmq to %1$I;', current_user);
  end if;
  foreach name in array array['parcours_generation', 'parcours_tracks'] loop
    if to_regclass('pgmq.q_' || name) is null then
      perform pgmq.create(name);
    end if;
    -- Stays closed even where a project exposes its queues to the API. Made in the dashboard, a
    -- queue may be somebody else's.
    begin
      execute format('alter table pgmq.%I enable row level security', 'q_' || name);
      execute format('alter table pgmq.%I enable row level security', 'a_' || name);
    exception when insufficient_privilege then
      raise warning 'the queue % is not for % to close: enable its row level security in the'
        ' dashboard', name, current_user;
    end;
  end loop;
end;
$$;

-- A text that may come from anywhere, as an id; null when it is none.
create function parcours.as_uuid(p_text text) returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return case when p_text ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
              then p_text::uuid end;
end;
$$;

-- One row a request for music, from its claim: what a user has asked of Suno lately, and what a
-- day has cost. A run that is erased leaves the cost and nothing of whose it was.
create table parcours.submissions (
  id bigint generated always as identity primary key,
  user_id uuid,
  run_id uuid,
  segment_id uuid,
  credits integer not null,
  claimed_at timestamptz not null default clock_timestamp()
);
create index submissions_user on parcours.submissions (user_id, claimed_at);
create index submissions_run on parcours.submissions (run_id);
create index submissions_when on parcours.submissions (claimed_at);

-- Jobs that cannot be read, or that broke whoever took them every time, kept for the doctor: the
-- queue flows on without them.
create table parcours.dead_letters (
  id bigint generated always as identity primary key,
  queue text not null,
  message jsonb,
  reason text not null check (reason in ('unreadable', 'broke')),
  given_up_at timestamptz not null default clock_timestamp()
);

-- How much of Suno a user has asked for in the last ten minutes.
create function parcours.asked_lately(p_user_id uuid) returns bigint
language plpgsql volatile set search_path = '' as $$
begin
  return (
    select count(*) from parcours.submissions
     where user_id = p_user_id and claimed_at > clock_timestamp() - interval '10 minutes');
end;
$$;

-- What a journey asks of Suno, with an attempt that failed: who asks for more leaves room to
-- others.
create function parcours.asked_for_a_journey() returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return 5;
end;
$$;

-- Takes due messages for so many seconds. Whoever has asked the least of Suno lately comes first,
-- then who has waited longest: a job that was handed back stands behind those that were due
-- meanwhile. (pgmq.read goes by msg_id: the same old jobs would come first for ever.)
-- p_asked_max: only of users who have asked for no more than that. A function for each queue, of one
-- text: a statement that is made up at each call would be planned at each call.
do $do$
declare
  queue text;
begin
  foreach queue in array array['generation', 'tracks'] loop
    execute format($create$
      create function parcours.take_due_%1$s(
        p_quantity integer, p_lease_s integer, p_asked_max bigint default null
      )
      returns table (msg_id bigint, read_ct integer, message jsonb, asked bigint)
      language plpgsql set search_path = '' as $$
      begin
        return query
          with due as (
            select job.msg_id, job.vt, lately.asked
              from pgmq.q_parcours_%1$s as job,
                   lateral (select parcours.asked_lately((
                     select user_id from public.parcours_runs
                      where id = parcours.as_uuid(job.message->>'run_id'))) as asked) as lately
             where job.vt <= clock_timestamp()
               and (p_asked_max is null or lately.asked <= p_asked_max)
             order by lately.asked, job.vt, job.msg_id limit p_quantity
               for update of job skip locked
          ), taken as (
            update pgmq.q_parcours_%1$s as job
               set vt = clock_timestamp() + make_interval(secs => p_lease_s),
                   read_ct = job.read_ct + 1
              from due where job.msg_id = due.msg_id
            returning job.msg_id, job.read_ct, job.message
          )
          select taken.msg_id, taken.read_ct, taken.message, due.asked
            from taken join due on due.msg_id = taken.msg_id
           order by due.asked, due.vt, due.msg_id;
      end;
      $$;
      revoke execute on function parcours.take_due_%1$s from public;
    $create$, queue);
  end loop;
end;
$do$;

-- How often a job was taken and neither done nor handed back: its worker died, or broke.
create function parcours.failed_deliveries(p_read_ct integer, p_message jsonb) returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return p_read_ct - 1 - case when p_message->>'counted_from' ~ '^[0-9]{1,9}$'
                              then (p_message->>'counted_from')::integer else 0 end;
end;
$$;

create function parcours.failed_deliveries_max() returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return 8;
end;
$$;

-- A job becomes a dead letter. Its row must be locked.
create function parcours.dead_letter(p_queue text, p_msg_id bigint, p_reason text) returns void
language plpgsql set search_path = '' as $$
begin
  execute format('insert into parcours.dead_letters (queue, message, reason)'
                 ' select $1, message, $2 from pgmq.%I where msg_id = $3', 'q_' || p_queue)
    using p_queue, p_reason, p_msg_id;
  perform pgmq.delete(p_queue, p_msg_id);
end;
$$;

-- Sends jobs that broke again, and drops what cannot be read: {sent, dropped}. Whoever asked for a
-- run meanwhile has sent its message already, and a run that is over needs none: those are dropped.
create function public.requeue_dead_letters(p_limit integer default 100) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job parcours.dead_letters;
  is_sent boolean;
  sent integer := 0;
  dropped integer := 0;
begin
  for job in
    select * from parcours.dead_letters order by id limit p_limit for update skip locked
  loop
    delete from parcours.dead_letters where id = job.id;
    is_sent := false;
    if job.reason = 'unreadable' then
      null;
    elsif job.queue = 'parcours_generation' then
      update parcours.active_runs as active
         set msg_id = (select pgmq.send(job.queue, job.message - 'counted_from'))
       where active.run_id = parcours.as_uuid(job.message->>'run_id')
         and not exists (select from pgmq.q_parcours_generation as q
                          where q.msg_id = active.msg_id);
      is_sent := found;
    else
      perform pgmq.send(job.queue, job.message - 'counted_from');
      is_sent := true;
    end if;
    sent := sent + is_sent::integer;
    dropped := dropped + (not is_sent)::integer;
  end loop;
  return jsonb_build_object('sent', sent, 'dropped', dropped);
end;
$$;

-- A receipt, (msg_id, read_ct), is good until somebody else has read the message.
create function parcours.holds_receipt(p_queue text, p_msg_id bigint, p_read_ct integer)
returns boolean
language plpgsql set search_path = '' as $$
declare
  found_one boolean;
begin
  if p_queue is null or p_queue not in ('parcours_generation', 'parcours_tracks') then
    raise sqlstate 'PT400' using message = format('unknown queue %L', p_queue);
  end if;
  execute format('select true from pgmq.%I where msg_id = $1 and read_ct = $2 for update',
                 'q_' || p_queue)
    into found_one using p_msg_id, p_read_ct;
  return found_one is not null;
end;
$$;

-- Makes a message visible again after so many whole seconds: to keep it longer (a lease), or, with
-- p_handed_back, to hand it back sound (0 or a pause). False when the receipt is no longer good.
create function public.postpone_job(
  p_queue text, p_msg_id bigint, p_read_ct integer, p_seconds integer,
  p_handed_back boolean default false
) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  if not parcours.holds_receipt(p_queue, p_msg_id, p_read_ct) then
    return false;
  end if;
  perform pgmq.set_vt(p_queue, p_msg_id, p_seconds);
  if p_handed_back then
    -- With a pause it has failed: since when is kept for whoever looks at the queue.
    execute format('update pgmq.%I set message = message || jsonb_build_object(''counted_from'','
                   ' read_ct) || case when $2 > 0 then jsonb_build_object(''failing_since'','
                   ' coalesce(message->''failing_since'', to_jsonb(clock_timestamp())))'
                   ' else ''{}'' end where msg_id = $1', 'q_' || p_queue)
      using p_msg_id, p_seconds;
  end if;
  return true;
end;
$$;

-- Only of a track: the message of an active run goes with release_run and with nothing else, or
-- nobody would hold the run.
create function public.finish_job(p_queue text, p_msg_id bigint, p_read_ct integer)
returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  if p_queue is distinct from 'parcours_tracks' then
    raise sqlstate 'PT400' using message = format('no job of the queue %L is finished', p_queue);
  end if;
  if not parcours.holds_receipt(p_queue, p_msg_id, p_read_ct) then
    return false;
  end if;
  return pgmq.delete(p_queue, p_msg_id);
end;
$$;

revoke execute on function parcours.as_uuid, parcours.asked_lately, parcours.asked_for_a_journey,
  parcours.failed_deliveries, parcours.failed_deliveries_max,
  parcours.dead_letter,
  parcours.holds_receipt from public;
revoke execute on function public.requeue_dead_letters, public.postpone_job, public.finish_job
  from public, anon, authenticated;
grant execute on function public.requeue_dead_letters, public.postpone_job, public.finish_job
  to service_role;

-- Every job is stamped with the id of the request that it comes of, as every event is
-- (parcours.log_event), and with its run's trace. See docs/specification.md#request-ids.

create function parcours.stamp_job() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.message := jsonb_strip_nulls(jsonb_build_object(
      'request_id', parcours.request_id(),
      'trace', (select metadata->>'trace' from public.parcours_runs
                 where id = parcours.as_uuid(new.message->>'run_id'))))
    || new.message;
  return new;
end;
$$;

create trigger stamp before insert on pgmq.q_parcours_generation
  for each row execute function parcours.stamp_job();
create trigger stamp before insert on pgmq.q_parcours_tracks
  for each row execute function parcours.stamp_job();

revoke execute on function parcours.stamp_job from public;

-- Are the queues flowing? failing: jobs of the tracks' queue that have failed at least once and are
-- tried again, failing_s: for how many seconds the first of them has been failing. oldest_s: for how many seconds the oldest job has been waiting for a
-- worker. An active run waits for its next deadline first; a track waits from the start.

create function public.read_queues() returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_array(
    (select jsonb_build_object(
              'queue', 'parcours_generation', 'depth', count(*),
              'due', count(*) filter (where vt <= clock_timestamp()),
              'oldest_s', greatest(0, coalesce(
                 round(extract(epoch from clock_timestamp() - min(vt)), 1), 0)))
       from pgmq.q_parcours_generation),
    (select jsonb_build_object(
              'queue', 'parcours_tracks', 'depth', count(*),
              'due', count(*) filter (where vt <= clock_timestamp()),
              'oldest_s', coalesce(
                 round(extract(epoch from clock_timestamp() - min(enqueued_at)), 1), 0),
              'failing', count(*) filter (where message ? 'failing_since'),
              'failing_s', coalesce(round(extract(epoch from clock_timestamp()
                 - (min(message->>'failing_since'))::timestamptz), 1), 0))
       from pgmq.q_parcours_tracks));
$$;

revoke execute on function public.read_queues from public, anon, authenticated;
grant execute on function public.read_queues to service_role;
