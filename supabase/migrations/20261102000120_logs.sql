-- The logs of the runner (runbook, "Runner timeout"): what happened, oldest first.

-- Without p_since and p_after the last p_limit events; with one of them the first p_limit that
-- follow. p_after: the id of the last event already read.
create function public.read_logs(
  p_run_id uuid default null, p_since timestamptz default null, p_after bigint default null,
  p_limit integer default 200
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  quantity integer := least(greatest(p_limit, 1), 1000);
  chosen bigint[];
begin
  -- A branch each, so that each finds its index.
  if p_since is not null then
    chosen := array(
      select id from public.parcours_events
       where happened_at >= p_since and (p_run_id is null or run_id = p_run_id)
         and (p_after is null or id > p_after)
       order by happened_at, id limit quantity);
  elsif p_after is not null then
    chosen := array(
      select id from public.parcours_events
       where id > p_after and (p_run_id is null or run_id = p_run_id)
       order by id limit quantity);
  else
    chosen := array(
      select id from public.parcours_events
       where p_run_id is null or run_id = p_run_id
       order by id desc limit quantity);
  end if;
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
             'id', event.id, 'at', event.happened_at, 'what', event.what,
             'run_id', event.run_id, 'segment_id', event.segment_id,
             'segment_index', segment.segment_index, 'detail', event.detail)
             order by event.id), '[]')
      from public.parcours_events as event
      left join public.parcours_segments as segment on segment.id = event.segment_id
     where event.id = any (chosen));
end;
$$;

revoke execute on function public.read_logs from public, anon, authenticated;
grant execute on function public.read_logs to service_role;
