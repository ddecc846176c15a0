-- Supabase Queues carry the work from a state change to whoever does it.
--   parcours_generation  one message a run in hand, invisible until the run's next deadline
--   parcours_tracks      tracks to store
-- Only what pgmq 1.5.1 has is used. A message is deleted when its work is done.

do $$
begin
  if not exists (select from pg_namespace where nspname = 'pgmq') then
    create extension pgmq;
  end if;
  perform pgmq.create('parcours_generation');
  perform pgmq.create('parcours_tracks');
end;
$$;

-- Stays closed even where a project exposes its queues to the API.
alter table pgmq.q_parcours_generation enable row level security;
alter table pgmq.a_parcours_generation enable row level security;
alter table pgmq.q_parcours_tracks enable row level security;
alter table pgmq.a_parcours_tracks enable row level security;

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
