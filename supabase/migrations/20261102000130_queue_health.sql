-- Are the queues flowing? oldest_s: for how many seconds the oldest job has been waiting for a
-- worker. A run in hand waits for its next deadline first; a track waits from the start.

create function public.read_queues() returns jsonb
language sql volatile security definer set search_path = '' as $$
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
                 round(extract(epoch from clock_timestamp() - min(enqueued_at)), 1), 0))
       from pgmq.q_parcours_tracks));
$$;

revoke execute on function public.read_queues from public, anon, authenticated;
grant execute on function public.read_queues to service_role;
