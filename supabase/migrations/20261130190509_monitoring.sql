-- The logs of the runner (docs/specification.md#runner-logs): what happened, oldest first.

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

-- What a slice of time looked like (docs/specification.md#report), counted here and in one piece:
-- whoever wants a longer time asks for it slice by slice and adds up.
--
-- A timing is {seconds: {"12.3": how many}, late: how many have not come within the target}.
-- p_targets: ttfp_s, ttfc_s, ready_s, ttfc_alert_s, runner_timeout_s.

create function parcours.timing(p_seconds numeric[], p_late bigint) returns jsonb
language sql immutable set search_path = '' as $$
  select jsonb_build_object('late', p_late, 'seconds', (
    select coalesce(jsonb_object_agg(second, many), '{}')
      from (select second, count(*) as many from unnest(p_seconds) as second
             where second is not null group by second) as counted));
$$;

create function parcours.seconds_between(p_from timestamptz, p_to timestamptz) returns numeric
language sql immutable set search_path = '' as $$
  select round(extract(epoch from p_to - p_from), 1);
$$;

-- Suno's share: from each claim of a segment to its first sound and to its delivery.
create function parcours.report_attempts(
  p_from timestamptz, p_to timestamptz, p_targets jsonb
) returns jsonb
language sql stable set search_path = '' as $$
  with attempts as (
    select claim.happened_at as claimed_at, heard.*,
           exists (select from public.parcours_events
                    where segment_id = claim.segment_id and id < claim.id
                      and what = 'segment.claimed') as again,
           extract(epoch from coalesce(heard.ended_at, now()) - claim.happened_at) as waited_s
      from public.parcours_events as claim
      left join lateral (
        select min(id) as id from public.parcours_events
         where segment_id = claim.segment_id and id > claim.id
           and what in ('segment.claimed', 'segment.requeued')
      ) as successor on true,
      lateral (
        select min(happened_at) filter (where what in ('segment.first', 'segment.delivered'))
                 as first_at,
               min(happened_at) filter (where what = 'segment.delivered') as delivered_at,
               min(happened_at) filter (where what in ('segment.failed', 'segment.refused'))
                 as ended_at
          from public.parcours_events
         where segment_id = claim.segment_id and id > claim.id
           and (successor.id is null or id < successor.id)
      ) as heard
     where claim.what = 'segment.claimed'
       and claim.happened_at >= p_from and claim.happened_at < p_to
  )
  select jsonb_build_object(
    'submissions', count(*),
    'retries', count(*) filter (where again),
    'ttfp', parcours.timing(
      array_agg(parcours.seconds_between(claimed_at, first_at)),
      count(*) filter (where first_at is null and waited_s > (p_targets->>'ttfp_s')::numeric)),
    'ttfc', parcours.timing(
      array_agg(parcours.seconds_between(claimed_at, delivered_at)),
      count(*) filter (where delivered_at is null
                         and waited_s > (p_targets->>'ttfc_s')::numeric)),
    'ttfc_slow', count(*) filter (where
      coalesce(extract(epoch from delivered_at - claimed_at), waited_s)
        > (p_targets->>'ttfc_alert_s')::numeric),
    'ttfc_measured', count(*) filter (where
      delivered_at is not null or waited_s > (p_targets->>'ttfc_alert_s')::numeric))
    from attempts;
$$;

-- As the listener lives it: from the run's creation. A run that was never started keeps nobody
-- waiting. suno_ready: from its first claim, which is what all tracks together take of Suno.
create function parcours.report_runs(
  p_from timestamptz, p_to timestamptz, p_targets jsonb
) returns jsonb
language sql stable set search_path = '' as $$
  with journeys as (
    select lived.*, created.happened_at as created_at,
           case when lived.began
                then extract(epoch from coalesce(lived.failed_at, now()) - created.happened_at)
                else 0 end as waited_s,
           extract(epoch from coalesce(lived.failed_at, now()) - lived.claimed_at)
             as composed_s
      from public.parcours_events as created,
      lateral (
        select min(happened_at) filter (where what in ('segment.first', 'segment.delivered'))
                 as first_at,
               min(happened_at) filter (where what = 'segment.claimed') as claimed_at,
               min(happened_at) filter (where what = 'segment.complete') as complete_at,
               min(happened_at) filter (where what = 'run.ready') as ready_at,
               max(happened_at) filter (where what = 'run.failed') as failed_at,
               bool_or(what in ('run.started', 'segment.claimed')) as began
          from public.parcours_events where run_id = created.run_id
      ) as lived
     where created.what = 'run.created'
       and created.happened_at >= p_from and created.happened_at < p_to
  )
  select jsonb_build_object(
    'ttfp', parcours.timing(
      array_agg(parcours.seconds_between(created_at, first_at)),
      count(*) filter (where first_at is null and waited_s > (p_targets->>'ttfp_s')::numeric)),
    'ttfc', parcours.timing(
      array_agg(parcours.seconds_between(created_at, complete_at)),
      count(*) filter (where complete_at is null
                         and waited_s > (p_targets->>'ttfc_s')::numeric)),
    'ready', parcours.timing(
      array_agg(parcours.seconds_between(created_at, ready_at)),
      count(*) filter (where ready_at is null and waited_s > (p_targets->>'ready_s')::numeric)),
    'suno_ready', parcours.timing(
      array_agg(parcours.seconds_between(claimed_at, ready_at)),
      count(*) filter (where ready_at is null
                         and composed_s > (p_targets->>'ready_s')::numeric)))
    from journeys;
$$;

-- Runs that were started in the slice, and how many were not over in time. See
-- docs/specification.md#targets.
create function parcours.report_timeouts(
  p_from timestamptz, p_to timestamptz, p_targets jsonb
) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
           'measured', count(*) filter (where over_at is not null or too_long),
           'timed_out', count(*) filter (where too_long))
    from (
      select ended.over_at,
             extract(epoch from coalesce(ended.over_at, now()) - started.happened_at)
               > (p_targets->>'runner_timeout_s')::numeric as too_long
        from public.parcours_events as started,
        lateral (
          select min(happened_at) as over_at from public.parcours_events
           where run_id = started.run_id and id > started.id
             and what in ('run.ready', 'run.failed')
        ) as ended
       where started.what = 'run.started'
         and started.happened_at >= p_from and started.happened_at < p_to
    ) as runs;
$$;

-- What went wrong, and what was completed. An error is an attempt that failed, whether or not
-- another one made it good. refusals: by Suno's code, 429 and its kin among them. messengers: who
-- told of a preview or a track, a callback or the answer to our own question (record-info).
create function parcours.report_outcomes(p_from timestamptz, p_to timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  with happened as (
    select what, detail from public.parcours_events
     where happened_at >= p_from and happened_at < p_to
       and what in ('segment.complete', 'segment.failed', 'segment.refused',
                    'segment.first', 'segment.delivered')
  )
  select jsonb_build_object(
    'complete', (select count(*) from happened where what = 'segment.complete'),
    'linked', (select count(*) from happened
                where what = 'segment.complete' and not (detail->>'stored')::boolean),
    'errors', (select coalesce(jsonb_object_agg(cause, many), '{}') from (
       select detail->>'reason' as cause, count(*) as many from happened
        where what = 'segment.failed' and detail->>'reason' <> 'cancelled' group by 1) as causes),
    'refusals', (select coalesce(jsonb_object_agg(code, many), '{}') from (
       select coalesce(detail->>'code', 'no answer') as code, count(*) as many from happened
        where what = 'segment.refused'
           or detail->>'reason' in ('suno_busy', 'suno_refused', 'suno_content', 'suno_account')
              and (detail->>'attempt')::integer > 0
        group by 1) as codes),
    'refused_words', (select coalesce(jsonb_object_agg(message, many), '{}') from (
       select coalesce(detail->>'message', 'unexplained') as message, count(*) as many
         from happened where what = 'segment.failed' and detail->>'reason' = 'suno_content'
        group by 1 order by 2 desc limit 10) as messages),
    'messengers', (select coalesce(jsonb_object_agg(messenger, many), '{}') from (
       select detail->>'source' as messenger, count(*) as many from happened
        where what in ('segment.first', 'segment.delivered') and detail ? 'source'
        group by 1) as messengers));
$$;

-- How the runs that were created in the slice, and their segments, stand now.
create function parcours.report_statuses(p_from timestamptz, p_to timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  with created as (
    select run.id, run.status
      from public.parcours_events as event
      join public.parcours_runs as run on run.id = event.run_id
     where event.what = 'run.created'
       and event.happened_at >= p_from and event.happened_at < p_to
  )
  select jsonb_build_object(
    'runs', (select coalesce(jsonb_object_agg(status, many), '{}')
               from (select status, count(*) as many from created group by 1) as counted),
    'segments', (select coalesce(jsonb_object_agg(status, many), '{}')
                   from (select segment.status, count(*) as many
                           from created
                           join public.parcours_segments as segment on segment.run_id = created.id
                          group by 1) as counted));
$$;

-- Who wrote the briefs of the runs that were created in the slice: OpenAI, or the presets, and why.
create function parcours.report_briefs(p_from timestamptz, p_to timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  with briefs as (
    select run.metadata->>'brief_source' as source, run.metadata->>'brief_reason' as reason
      from public.parcours_events as event
      join public.parcours_runs as run on run.id = event.run_id
     where event.what = 'run.created'
       and event.happened_at >= p_from and event.happened_at < p_to
  )
  select jsonb_build_object(
    'briefs_written', (select count(*) from briefs where source = 'openai'),
    'briefs_curated', (select coalesce(jsonb_object_agg(reason, many), '{}') from (
       select coalesce(reason, 'unknown') as reason, count(*) as many from briefs
        where source = 'curated' group by 1) as reasons));
$$;

create function public.report_slice(p_from timestamptz, p_to timestamptz, p_targets jsonb)
returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'suno', parcours.report_attempts(p_from, p_to, p_targets),
    'listener', parcours.report_runs(p_from, p_to, p_targets),
    'timeouts', parcours.report_timeouts(p_from, p_to, p_targets),
    'outcomes', parcours.report_outcomes(p_from, p_to),
    'statuses', parcours.report_statuses(p_from, p_to),
    'briefs', parcours.report_briefs(p_from, p_to));
$$;

-- Who created the most runs (docs/specification.md#runbook-sql).
create function public.report_top_users(p_since timestamptz, p_limit integer default 10)
returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_object('user_id', user_id, 'runs', run_count)
                            order by run_count desc, user_id), '[]')
    from (select user_id, count(*) as run_count from public.parcours_runs
           where created_at > p_since
           group by user_id order by run_count desc, user_id limit p_limit) as busiest;
$$;

revoke execute on function parcours.timing, parcours.seconds_between, parcours.report_attempts,
  parcours.report_runs, parcours.report_timeouts, parcours.report_outcomes,
  parcours.report_statuses, parcours.report_briefs from public;
revoke execute on function public.report_slice, public.report_top_users
  from public, anon, authenticated;
grant execute on function public.report_slice, public.report_top_users to service_role;

-- Work that one worker at a time does for all: whoever acquires the lease has it until it is
-- released, or over. The next one is due p_every_s after this one began.

create table parcours.leases (
  name text primary key,
  holder text not null,
  lease_until timestamptz not null,
  next_at timestamptz not null
);

create function public.acquire_lease(
  p_name text, p_holder text, p_every_s numeric, p_lease_s numeric
) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  taken boolean;
begin
  insert into parcours.leases as lease (name, holder, lease_until, next_at)
  values (p_name, p_holder, clock_timestamp() + make_interval(secs => p_lease_s),
          clock_timestamp() + make_interval(secs => p_every_s))
      on conflict (name) do update
     set holder = excluded.holder, lease_until = excluded.lease_until, next_at = excluded.next_at
   where lease.lease_until <= clock_timestamp() and lease.next_at <= clock_timestamp()
  returning true into taken;
  return coalesce(taken, false);
end;
$$;

create function public.release_lease(p_name text, p_holder text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.leases set lease_until = clock_timestamp()
   where name = p_name and holder = p_holder;
  return found;
end;
$$;

revoke execute on function public.acquire_lease, public.release_lease
  from public, anon, authenticated;
grant execute on function public.acquire_lease, public.release_lease to service_role;

-- Alerts (docs/specification.md#alerts): which are firing, and of which operators were notified.

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
create function public.read_snapshot(p_since timestamptz) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'credits', (select value from parcours.gauges where name = 'suno_credits'),
    'credits_read_at', (select read_at from parcours.gauges where name = 'suno_credits'),
    'account_refused_at', (
       select max(happened_at) from public.parcours_events
        where what = 'segment.failed' and detail->>'reason' = 'suno_account'
          and happened_at >= p_since),
    'jobs_given_up', (select count(*) from parcours.dead_letters),
    'jobs_unreadable', (select count(*) from parcours.dead_letters where reason = 'unreadable'),
    'day', parcours.read_day(),
    'caretaker_due_at', (select next_at from parcours.leases where name = 'caretaker'));
$$;

-- One row from the moment an alert fires until it is resolved and that was notified.
create table parcours.alerts (
  id bigint generated always as identity primary key,
  name text not null,
  message text not null,
  fired_at timestamptz not null default clock_timestamp(),
  resolved_at timestamptz,
  notified_firing boolean not null default false,
  notified_resolved boolean not null default false
);
create unique index one_alert_firing on parcours.alerts (name) where resolved_at is null;

-- The alerts that fire now: [{name, says}]. Answers those of which nobody has been notified yet,
-- oldest first: [{id, name, says, began_at, ended_at, told_began}].
create function public.update_alerts(p_firing jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.alerts set resolved_at = clock_timestamp()
   where resolved_at is null
     and name not in (select alert->>'name' from jsonb_array_elements(p_firing) as alert);
  insert into parcours.alerts (name, message)
  select alert->>'name', alert->>'says' from jsonb_array_elements(p_firing) as alert
      on conflict (name) where resolved_at is null do update set message = excluded.message;
  delete from parcours.alerts where resolved_at < now() - interval '30 days';
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
             'id', id, 'name', name, 'says', message, 'began_at', fired_at,
             'ended_at', resolved_at, 'told_began', notified_firing) order by id), '[]')
      from parcours.alerts
     where resolved_at is null and not notified_firing
        or resolved_at > now() - interval '1 day' and not notified_resolved);
end;
$$;

create function public.record_notification(p_id bigint, p_ended boolean) returns void
language sql security definer set search_path = '' as $$
  update parcours.alerts
     set notified_firing = true, notified_resolved = notified_resolved or p_ended
   where id = p_id;
$$;

revoke execute on function public.record_gauge, public.read_snapshot, public.update_alerts,
  public.record_notification from public, anon, authenticated;
grant execute on function public.record_gauge, public.read_snapshot, public.update_alerts,
  public.record_notification to service_role;

-- What Prometheus counts and measures (docs/deployment.md#what-is-watched): the events behind an
-- id, oldest first, each with what it ended. Whoever reads keeps the last id and adds up.
--   {after, rows: [{what, label, first, attempt_first, listener_s, suno_s}]}
-- label: by what it is counted. first: it is the run's first of its kind: of its first sound, of
-- its first stored track; of a failure, that nothing of the run was heard. attempt_first: the same
-- of the attempt's first sound. listener_s: since
-- create was asked; suno_s: since the segment was claimed, or the run's first was.
-- p_after null: only where to begin. Events are read some seconds late, so that none is missed
-- which has a smaller id and is committed later.
create function public.read_measurements(p_after bigint, p_limit integer default 1000)
returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  settled timestamptz := clock_timestamp() - interval '3 seconds';
begin
  if p_after is null then
    return jsonb_build_object('rows', '[]'::jsonb, 'after', coalesce((
      select id from public.parcours_events where happened_at < settled
       order by id desc limit 1), 0));
  end if;
  return (
    with page as (
      select * from public.parcours_events
       where id > p_after and happened_at < settled
       order by id limit least(greatest(p_limit, 1), 1000)
    ), measured as (
      select page.id, page.what, page.happened_at,
             case page.what
               when 'run.created' then coalesce(page.detail->>'brief_source', 'unknown')
               when 'segment.claimed' then
                 case when page.detail->>'attempt' = '1' then 'first' else 'again' end
               when 'segment.first' then coalesce(page.detail->>'source', 'unknown')
               when 'segment.delivered' then coalesce(page.detail->>'source', 'unknown')
               when 'segment.complete' then
                 case when (page.detail->>'stored')::boolean then 'stored' else 'linked' end
               when 'segment.failed' then coalesce(page.detail->>'reason', 'unknown')
               when 'segment.refused' then coalesce(page.detail->>'code', 'no answer')
               else '' end as label,
             case when page.what in ('segment.first', 'segment.delivered', 'run.failed') then
                    not exists (select from public.parcours_events
                                 where run_id = page.run_id and id < page.id
                                   and what in ('segment.first', 'segment.delivered'))
                  when page.what = 'segment.complete' then
                    not exists (select from public.parcours_events
                                 where run_id = page.run_id and id < page.id
                                   and what = 'segment.complete')
                  else true end as is_first,
             (select happened_at
                     - make_interval(secs => coalesce((detail->>'waited_s')::double precision, 0))
                from public.parcours_events
               where run_id = page.run_id and what = 'run.created' order by id limit 1) as asked_at,
             claim.happened_at as claimed_at,
             not exists (select from public.parcours_events
                          where segment_id = page.segment_id and id > claim.id and id < page.id
                            and what in ('segment.first', 'segment.delivered')) as is_its_first
        from page
        left join lateral (
          select id, happened_at from public.parcours_events
           where what = 'segment.claimed' and case
                   when page.what = 'run.ready' then run_id = page.run_id
                   when page.what in ('segment.first', 'segment.delivered') then
                     segment_id = page.segment_id and id < page.id
                   else false end
           order by case when page.what = 'run.ready' then id else -id end limit 1
        ) as claim on true
    )
    select jsonb_build_object(
             'after', coalesce(max(id), p_after),
             'rows', coalesce(jsonb_agg(jsonb_build_object(
               'what', what, 'label', label, 'first', is_first, 'attempt_first', is_its_first,
               'listener_s', parcours.seconds_between(asked_at, happened_at),
               'suno_s', parcours.seconds_between(claimed_at, happened_at)) order by id), '[]'))
      from measured);
end;
$$;

revoke execute on function public.read_measurements from public, anon, authenticated;
grant execute on function public.read_measurements to service_role;
