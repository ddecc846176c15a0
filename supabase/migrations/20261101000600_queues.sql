-- Supabase Queues carry the work from a state change to whoever does it.
--   parcours_generation  one message a run in hand, invisible until the run's next deadline
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

-- A receipt, (msg_id, read_ct), is good until somebody else has read the message.
create function parcours.holds_receipt(p_queue text, p_msg_id bigint, p_read_ct integer)
returns boolean
language plpgsql set search_path = '' as $$
declare
  found_one boolean;
begin
  if p_queue not in ('parcours_generation', 'parcours_tracks') then
    raise sqlstate 'PT400' using message = format('unknown queue %L', p_queue);
  end if;
  execute format('select true from pgmq.%I where msg_id = $1 and read_ct = $2 for update',
                 'q_' || p_queue)
    into found_one using p_msg_id, p_read_ct;
  return found_one is not null;
end;
$$;
revoke execute on function parcours.holds_receipt from public;

-- Makes a message visible again after so many whole seconds: to hand it back (0 or a pause)
-- or to keep it longer (a lease). False when the receipt is no longer good.
create function public.postpone_job(
  p_queue text, p_msg_id bigint, p_read_ct integer, p_seconds integer
) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  if not parcours.holds_receipt(p_queue, p_msg_id, p_read_ct) then
    return false;
  end if;
  perform pgmq.set_vt(p_queue, p_msg_id, p_seconds);
  return true;
end;
$$;

create function public.finish_job(p_queue text, p_msg_id bigint, p_read_ct integer)
returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  if not parcours.holds_receipt(p_queue, p_msg_id, p_read_ct) then
    return false;
  end if;
  return pgmq.delete(p_queue, p_msg_id);
end;
$$;

revoke execute on function public.postpone_job, public.finish_job from public, anon, authenticated;
grant execute on function public.postpone_job, public.finish_job to service_role;
