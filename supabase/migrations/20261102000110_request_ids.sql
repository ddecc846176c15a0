-- One request id through function, job and event. The service names the request that is behind a
-- call in a header; every event and every job that comes of the call is stamped with it.

create function parcours.request_id() returns text
language sql stable set search_path = '' as $$
  select substring(
    nullif(current_setting('request.headers', true), '')::jsonb->>'x-parcours-request'
    from '^[0-9a-f]{32}$');
$$;

create function parcours.stamp_event() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.detail := new.detail
    || jsonb_strip_nulls(jsonb_build_object('request_id', parcours.request_id()));
  return new;
end;
$$;

create function parcours.stamp_job() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.message := jsonb_strip_nulls(jsonb_build_object('request_id', parcours.request_id()))
    || new.message;
  return new;
end;
$$;

create trigger stamp before insert on public.parcours_events
  for each row execute function parcours.stamp_event();
create trigger stamp before insert on pgmq.q_parcours_generation
  for each row execute function parcours.stamp_job();
create trigger stamp before insert on pgmq.q_parcours_tracks
  for each row execute function parcours.stamp_job();

revoke execute on function parcours.request_id, parcours.stamp_event, parcours.stamp_job
  from public;
