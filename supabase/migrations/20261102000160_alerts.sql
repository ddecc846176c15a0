-- What operators are to be told (runbook, "Contacts & escalades"), and whether they have been.

-- A figure that only the outside knows, as it was read last.
create table parcours.gauges (
  name text primary key,
  value double precision not null,
  read_at timestamptz not null
);

create function public.record_gauge(p_name text, p_value double precision) returns void
language sql security definer set search_path = '' as $$
  insert into parcours.gauges (name, value, read_at)
  values (p_name, p_value, clock_timestamp())
      on conflict (name) do update set value = excluded.value, read_at = excluded.read_at;
$$;

-- What alerts are judged by, beside the figures of the report.
create function public.read_signs(p_since timestamptz) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'credits', (select value from parcours.gauges where name = 'suno_credits'),
    'credits_read_at', (select read_at from parcours.gauges where name = 'suno_credits'),
    'account_refused_at', (
       select max(happened_at) from public.parcours_events
        where what = 'segment.failed' and detail->>'reason' = 'suno_account'
          and happened_at >= p_since),
    'jobs_given_up', (select count(*) from parcours.jobs_given_up),
    'jobs_unreadable', (select count(*) from parcours.jobs_given_up where reason = 'unreadable'),
    'day', parcours.read_day(),
    'caretaker_due_at', (select next_at from parcours.turns where name = 'caretaker'));
$$;

-- One row from the moment an alert begins to burn until it has ended and that was told.
create table parcours.alerts (
  id bigint generated always as identity primary key,
  name text not null,
  says text not null,
  began_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  told_began boolean not null default false,
  told_ended boolean not null default false
);
create unique index one_alert_burns on parcours.alerts (name) where ended_at is null;

-- What burns now: [{name, says}]. Answers what nobody has been told yet, oldest first:
-- [{id, name, says, began_at, ended_at, told_began}].
create function public.note_alerts(p_burning jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.alerts set ended_at = clock_timestamp()
   where ended_at is null
     and name not in (select alert->>'name' from jsonb_array_elements(p_burning) as alert);
  insert into parcours.alerts (name, says)
  select alert->>'name', alert->>'says' from jsonb_array_elements(p_burning) as alert
      on conflict (name) where ended_at is null do update set says = excluded.says;
  delete from parcours.alerts where ended_at < now() - interval '30 days';
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
             'id', id, 'name', name, 'says', says, 'began_at', began_at, 'ended_at', ended_at,
             'told_began', told_began) order by id), '[]')
      from parcours.alerts
     where ended_at is null and not told_began
        or ended_at > now() - interval '1 day' and not told_ended);
end;
$$;

create function public.record_told(p_id bigint, p_ended boolean) returns void
language sql security definer set search_path = '' as $$
  update parcours.alerts
     set told_began = true, told_ended = told_ended or p_ended
   where id = p_id;
$$;

revoke execute on function public.record_gauge, public.read_signs, public.note_alerts,
  public.record_told from public, anon, authenticated;
grant execute on function public.record_gauge, public.read_signs, public.note_alerts,
  public.record_told to service_role;
