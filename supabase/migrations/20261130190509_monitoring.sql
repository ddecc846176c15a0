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

-- The runs that a slice concerns, each lived through once: how long Suno took of each attempt, how
-- long the listener waited, and which runs were not over in time (docs/specification.md#targets).
--   suno      from each claim of a segment to its first sound and to its delivery
--   listener  from the request to create, which waited for its brief (waited_s) before the run was
--             there. A run that was never started keeps nobody waiting; one that failed unheard has
--             missed its first sound, unless its owner had stopped it.
--             suno_ready: from its first claim, which is what all tracks together take of Suno
--   timeouts  of the runs that were started in the slice
--   costs     credits of its attempts, by what became of them: {runs, kept, under_way, wasted:
--             {reason: credits}}. What Suno refused costs nothing; what it left unanswered may.
create function parcours.report_journeys(
  p_from timestamptz, p_to timestamptz, p_targets jsonb
) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  -- An array, so that their events are found by the index, however few of all events they are.
  concerned constant uuid[] := array(
    select distinct run_id from public.parcours_events
     where happened_at >= p_from and happened_at < p_to
       and what in ('run.created', 'run.started', 'segment.claimed'));
begin
  return (
    with lived as materialized (
      select event.id, event.run_id, event.segment_id, event.what, event.happened_at,
             case event.what when 'segment.claimed' then (event.detail->>'attempt')::integer end
               as attempt, event.detail,
             -- Which of its segment's attempts an event belongs to: a claim or a requeue ends the
             -- one before.
             count(*) filter (where event.what in ('segment.claimed', 'segment.requeued'))
               over so_far as part,
             count(*) filter (where event.what = 'segment.claimed') over so_far as claims
        from public.parcours_events as event where event.run_id = any (concerned)
      window so_far as (partition by event.segment_id order by event.id)
    ), attempts as (
      select parts.*, extract(epoch from coalesce(ended_at, now()) - claimed_at) as waited_s
        from (
          select min(happened_at) filter (where what = 'segment.claimed') as claimed_at,
                 min(happened_at) filter (where what in ('segment.first', 'segment.delivered'))
                   as first_at,
                 min(happened_at) filter (where what = 'segment.delivered') as delivered_at,
                 min(happened_at) filter (where what in ('segment.failed', 'segment.refused'))
                   as ended_at,
                 -- Earlier claims may be rolled up; the claim says itself which attempt it is.
                 bool_or(what = 'segment.claimed' and (claims > 1 or attempt > 1)) as again,
                 coalesce(sum((detail->>'credits')::integer)
                   filter (where what = 'segment.claimed'), 0) as credits,
                 bool_or(what = 'segment.complete') as is_kept,
                 bool_or(what = 'segment.refused' or what = 'segment.failed'
                           and detail->>'reason' in ('suno_busy', 'suno_refused', 'suno_account'))
                   or bool_or(what = 'segment.failed' and detail->>'reason' = 'suno_content')
                      and not bool_or(what = 'segment.submitted') as is_refused,
                 min(detail->>'reason') filter (where what = 'segment.failed') as reason
            from lived where segment_id is not null group by segment_id, part
        ) as parts
       where claimed_at >= p_from and claimed_at < p_to
    ), bought as (
      select credits, reason,
             case when is_kept then 'kept' when reason is null then 'under_way' else 'wasted' end
               as outcome
        from attempts where credits > 0 and (is_kept or not is_refused)
    ), journeys as (
      select asked_at, first_at, claimed_at, complete_at, ready_at,
             failed_at is not null and not is_cancelled as is_lost,
             is_awaited,
             case when began then extract(epoch from coalesce(failed_at, now()) - asked_at)
                  else 0 end as waited_s,
             extract(epoch from coalesce(failed_at, now()) - claimed_at) as composed_s
        from (
          select min(happened_at) filter (where what = 'run.created') as created_at,
                 min(happened_at - make_interval(
                       secs => coalesce((detail->>'waited_s')::double precision, 0)))
                   filter (where what = 'run.created') as asked_at,
                 bool_or(what = 'run.cancelled') as is_cancelled,
                 min(happened_at) filter (where what in ('segment.first', 'segment.delivered'))
                   as first_at,
                 min(happened_at) filter (where what = 'segment.claimed') as claimed_at,
                 min(happened_at) filter (where what = 'segment.complete') as complete_at,
                 min(happened_at) filter (where what = 'run.ready') as ready_at,
                 max(happened_at) filter (where what = 'run.failed') as failed_at,
                 bool_or(what in ('run.started', 'segment.claimed')) as began,
                 -- The whole of it: a first segment that create claimed by itself is no start.
                 bool_or(what = 'run.started') or coalesce(not bool_or(
                   what = 'run.created' and detail->>'brief_source' = 'being_written'), true)
                   as is_awaited
            from lived group by run_id
        ) as runs
       where created_at >= p_from and created_at < p_to
    ), starts as (
      select over_at, extract(epoch from coalesce(over_at, now()) - happened_at)
               > (p_targets->>'runner_timeout_s')::numeric as too_long
        from (
          select what, happened_at,
                 min(happened_at) filter (where what in ('run.ready', 'run.failed')) over (
                   partition by run_id order by id
                   rows between 1 following and unbounded following) as over_at
            from lived where what in ('run.started', 'run.ready', 'run.failed')
        ) as steps
       where what = 'run.started' and happened_at >= p_from and happened_at < p_to
    )
    select jsonb_build_object(
      'suno', (
        select jsonb_build_object(
          'submissions', count(*),
          'retries', count(*) filter (where again),
          'ttfp', parcours.timing(
            array_agg(parcours.seconds_between(claimed_at, first_at)),
            count(*) filter (where first_at is null
                               and waited_s > (p_targets->>'ttfp_s')::numeric)),
          'ttfc', parcours.timing(
            array_agg(parcours.seconds_between(claimed_at, delivered_at)),
            count(*) filter (where delivered_at is null
                               and waited_s > (p_targets->>'ttfc_s')::numeric)),
          'ttfc_slow', count(*) filter (where
            coalesce(extract(epoch from delivered_at - claimed_at), waited_s)
              > (p_targets->>'ttfc_alert_s')::numeric),
          'ttfc_measured', count(*) filter (where
            delivered_at is not null or waited_s > (p_targets->>'ttfc_alert_s')::numeric))
          from attempts),
      'listener', (
        select jsonb_build_object(
          'ttfp', parcours.timing(
            array_agg(parcours.seconds_between(asked_at, first_at)),
            count(*) filter (where first_at is null
                               and (is_lost or waited_s > (p_targets->>'ttfp_s')::numeric))),
          'ttfc', parcours.timing(
            array_agg(parcours.seconds_between(asked_at, complete_at)),
            count(*) filter (where complete_at is null
                               and waited_s > (p_targets->>'ttfc_s')::numeric)),
          'ready', parcours.timing(
            array_agg(parcours.seconds_between(asked_at, ready_at)),
            count(*) filter (where ready_at is null and is_awaited
                               and waited_s > (p_targets->>'ready_s')::numeric)),
          'suno_ready', parcours.timing(
            array_agg(parcours.seconds_between(claimed_at, ready_at)),
            count(*) filter (where ready_at is null and is_awaited
                               and composed_s > (p_targets->>'ready_s')::numeric)))
          from journeys),
      'timeouts', (
        select jsonb_build_object(
          'measured', count(*) filter (where over_at is not null or too_long),
          'timed_out', count(*) filter (where too_long))
          from starts),
      'costs', (
        select jsonb_build_object(
          -- Each counted once, in the slice in which it was created.
          'runs', (select count(claimed_at) from journeys),
          'kept', coalesce(sum(credits) filter (where outcome = 'kept'), 0),
          'under_way', coalesce(sum(credits) filter (where outcome = 'under_way'), 0),
          'wasted', (select coalesce(jsonb_object_agg(reason, spent), '{}') from (
             select reason, sum(credits) as spent from bought
              where outcome = 'wasted' group by 1) as reasons))
          from bought)));
end;
$$;

-- What went wrong, and what was completed. An error is an attempt that failed, whether or not
-- another one made it good. refusals: by Suno's code; as an HTTP status 429 is the rate, in a body
-- the credits. put_off: runs that wait, by why. messengers: who
-- told of a preview or a track, a callback or the answer to our own question (record-info).
create function parcours.report_outcomes(p_from timestamptz, p_to timestamptz) returns jsonb
language sql stable set search_path = '' as $$
  with happened as (
    select run_id, what, detail from public.parcours_events
     where happened_at >= p_from and happened_at < p_to
       and what in ('segment.complete', 'segment.failed', 'segment.refused',
                    'segment.first', 'segment.delivered', 'run.put_off')
  )
  select jsonb_build_object(
    'complete', (select count(*) from happened where what = 'segment.complete'),
    'linked', (select count(*) from happened
                where what = 'segment.complete' and not (detail->>'stored')::boolean),
    'errors', (select coalesce(jsonb_object_agg(cause, many), '{}') from (
       select detail->>'reason' as cause, count(*) as many from happened
        where what = 'segment.failed' and detail->>'reason' <> 'cancelled' group by 1) as causes),
    'refusals', (select coalesce(jsonb_object_agg(code, many), '{}') from (
       select case when detail->>'code' = '429' and detail->>'reason' = 'suno_account'
                   then '429 (credits)' else coalesce(detail->>'code', 'no answer') end as code,
              count(*) as many from happened
        where what = 'segment.refused'
           or what = 'segment.failed' and detail->>'reason' in ('suno_busy', 'suno_refused', 'suno_content', 'suno_account')
              and (detail->>'attempt')::integer > 0
        group by 1) as codes),
    'refused_words', (select coalesce(jsonb_object_agg(message, many), '{}') from (
       select coalesce(detail->>'message', 'unexplained') as message, count(*) as many
         from happened where what = 'segment.failed' and detail->>'reason' = 'suno_content'
        group by 1 order by 2 desc limit 10) as messages),
    'put_off', (select coalesce(jsonb_object_agg(reason, many), '{}') from (
       select coalesce(detail->>'reason', 'unknown') as reason, count(distinct run_id) as many
         from happened where what = 'run.put_off' group by 1) as reasons),
    'messengers', (select coalesce(jsonb_object_agg(messenger, many), '{}') from (
       select detail->>'source' as messenger, count(*) as many from happened
        where what in ('segment.first', 'segment.delivered') and detail ? 'source'
        group by 1) as messengers));
$$;

-- How the runs that were created in the slice, and their segments, stand now, and who wrote their
-- briefs: OpenAI, or the presets, and why.
create function parcours.report_created(p_from timestamptz, p_to timestamptz) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  created constant uuid[] := array(
    select run_id from public.parcours_events
     where what = 'run.created' and happened_at >= p_from and happened_at < p_to);
begin
  return (
    with briefs as materialized (
      select status, metadata->>'brief_source' as source, metadata->>'brief_reason' as reason,
             (metadata->>'openai_tokens')::bigint as tokens,
             -- Nobody can say yet; a create that takes longer has died.
             metadata->>'brief_reason' = 'being_written' is true
               and created_at > now() - interval '2 minutes' as is_being_written
        from public.parcours_runs where id = any (created)
    )
    select jsonb_build_object(
      'statuses', jsonb_build_object(
        'runs', (select coalesce(jsonb_object_agg(status, many), '{}')
                   from (select status, count(*) as many from briefs group by 1) as counted),
        'segments', (select coalesce(jsonb_object_agg(status, many), '{}')
                       from (select status, count(*) as many from public.parcours_segments
                              where run_id = any (created) group by 1) as counted)),
      'briefs', jsonb_build_object(
        'briefs_written', (select count(*) from briefs where source = 'openai'),
        'briefs_curated', (select coalesce(jsonb_object_agg(reason, many), '{}') from (
           select coalesce(reason, 'unknown') as reason, count(*) as many from briefs
            where source = 'curated' and not is_being_written group by 1) as reasons),
        'tokens_used', (select coalesce(sum(tokens), 0) from briefs where source = 'openai'),
        'tokens_wasted', (select coalesce(jsonb_object_agg(reason, spent), '{}') from (
           select coalesce(reason, 'unknown') as reason, sum(tokens) as spent from briefs
            where source = 'curated' and tokens > 0 group by 1) as reasons))));
end;
$$;

-- A slice as its events tell it.
create function parcours.report_events(
  p_from timestamptz, p_to timestamptz, p_targets jsonb
) returns jsonb
language sql stable set search_path = '' as $$
  select parcours.report_journeys(p_from, p_to, p_targets)
      || jsonb_build_object('outcomes', parcours.report_outcomes(p_from, p_to))
      || parcours.report_created(p_from, p_to);
$$;

-- Hours of the report whose events may be deleted, or have been: report_events of each. They follow
-- one another; an hour in which nothing happened is left out.
create table parcours.report_hours (
  began_at timestamptz primary key,
  slice jsonb not null
);

-- From here on the events themselves are reported. Null: from the first.
create function parcours.rolled_up_until() returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return (select max(began_at) + interval '1 hour' from parcours.report_hours);
end;
$$;

-- rolled_up: the hours of the slice that were rolled up; reserve: credits spent on the reserve in all of
-- the slice; the rest is of what came after those hours.
create function public.report_slice(p_from timestamptz, p_to timestamptz, p_targets jsonb)
returns jsonb
language sql stable security definer set search_path = '' as $$
  select parcours.report_events(greatest(p_from, parcours.rolled_up_until()), p_to, p_targets)
      || jsonb_build_object('rolled_up', (
           select coalesce(jsonb_agg(slice order by began_at), '[]') from parcours.report_hours
            where began_at >= p_from and began_at < p_to),
         'reserve', (
           select coalesce(sum(credits), 0) from parcours.reserve_tasks
            where claimed_at >= p_from and claimed_at < p_to));
$$;

-- Who created the most runs (docs/specification.md#runbook-sql).
create function public.report_top_users(p_since timestamptz, p_limit integer default 10)
returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('user_id', user_id, 'runs', run_count)
                              order by run_count desc, user_id), '[]')
      from (select user_id, count(*) as run_count from public.parcours_runs
             where created_at > p_since
             group by user_id order by run_count desc, user_id limit p_limit) as busiest);
end;
$$;

revoke execute on function parcours.timing, parcours.seconds_between, parcours.report_journeys,
  parcours.report_outcomes, parcours.report_created, parcours.report_events,
  parcours.rolled_up_until from public;
revoke execute on function public.report_slice, public.report_top_users
  from public, anon, authenticated;
grant execute on function public.report_slice, public.report_top_users to service_role;

-- What is old is rolled up and deleted, a little at a time: the hours whose events are older than
-- p_days become rows of report_hours, p_hours a call; then their events go, and so do idempotency
-- keys, submissions and creations of the last day but one, p_limit of each a call. Events stay two days longer than their hour: an attempt that began in one
-- hour is told by those of the next. What says that a run which is not over was started stays with
-- it. Answers {hours, events, keys}.
create function public.delete_history(
  p_days integer, p_targets jsonb, p_hours integer default 24, p_limit integer default 5000
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  ends_at constant timestamptz :=
    date_trunc('hour', clock_timestamp() - make_interval(days => p_days), 'UTC');
  hour timestamptz;
  hours integer := 0;
  events integer;
  keys integer;
begin
  while hours < p_hours loop
    -- The next hour in which something happened.
    select date_trunc('hour', happened_at, 'UTC') into hour from public.parcours_events
     where happened_at >= coalesce(parcours.rolled_up_until(), '-infinity')
     order by happened_at limit 1;
    exit when hour is null or hour >= ends_at;
    -- Suno's own words are not kept: they may quote what somebody wrote.
    insert into parcours.report_hours (began_at, slice)
    values (hour, jsonb_set(
      parcours.report_events(hour, hour + interval '1 hour', p_targets),
      '{outcomes,refused_words}', '{}'));
    hours := hours + 1;
  end loop;

  delete from public.parcours_events where id = any (array(
    select event.id from public.parcours_events as event
     where event.happened_at < parcours.rolled_up_until() - interval '2 days'
       and not (event.what = 'run.started' and exists (
             select from public.parcours_runs where id = event.run_id and status = 'creating'))
     order by event.happened_at limit p_limit));
  get diagnostics events = row_count;
  delete from parcours.creations where ctid = any (array(
    select ctid from parcours.creations
     where created_at <= now() - interval '24 hours' order by created_at limit p_limit));
  get diagnostics keys = row_count;
  delete from parcours.submissions where id = any (array(
    select id from parcours.submissions
     where claimed_at < now() - interval '24 hours' order by claimed_at limit p_limit));
  delete from parcours.recent_creations where id = any (array(
    select id from parcours.recent_creations
     where created_at <= now() - interval '24 hours' order by created_at limit p_limit));
  delete from parcours.places where free_at < clock_timestamp();
  return jsonb_build_object('hours', hours, 'events', events, 'keys', keys);
end;
$$;

-- Nobody rewrites an event; only what was rolled up two days further on is deleted. At depth 0
-- somebody asks; deeper, the run itself is being erased.
create function parcours.refuse_rewriting() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- A statement that truncates has no row.
  if tg_op = 'DELETE' then
    if old.happened_at < parcours.rolled_up_until() - interval '2 days' then
      return old;
    end if;
  end if;
  raise sqlstate 'PT409' using message = 'parcours_events is append-only';
end;
$$;
revoke execute on function parcours.refuse_rewriting from public;

create trigger append_only before update or delete on public.parcours_events
  for each row when (pg_trigger_depth() = 0) execute function parcours.refuse_rewriting();
create trigger append_only_whole before truncate on public.parcours_events
  for each statement execute function parcours.refuse_rewriting();
-- Truncating the runs would leave their events behind.
create trigger append_only_whole before truncate on public.parcours_runs
  for each statement execute function parcours.refuse_rewriting();

revoke execute on function public.delete_history from public, anon, authenticated;
grant execute on function public.delete_history to service_role;

-- The maintenance, which one worker at a time does for all: whoever acquires it has it until it is
-- released, or the lease is over. The next round is due p_every_s after this one began.

create function public.acquire_maintenance(p_holder text, p_every_s numeric, p_lease_s numeric)
returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.deployment
     set maintenance_holder = p_holder,
         maintenance_lease_until = clock_timestamp() + make_interval(secs => p_lease_s),
         maintenance_due_at = clock_timestamp() + make_interval(secs => p_every_s)
   where maintenance_lease_until <= clock_timestamp()
     and coalesce(maintenance_due_at <= clock_timestamp(), true);
  return found;
end;
$$;

create function public.release_maintenance(p_holder text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.deployment set maintenance_lease_until = clock_timestamp()
   where maintenance_holder = p_holder;
  return found;
end;
$$;

revoke execute on function public.acquire_maintenance, public.release_maintenance
  from public, anon, authenticated;
grant execute on function public.acquire_maintenance, public.release_maintenance to service_role;

-- Alerts (docs/specification.md#alerts): which are firing, and of which operators were notified.

-- How many credits Suno says are left.
create function public.record_credits(p_credits double precision) returns void
language sql security definer set search_path = '' as $$
  update parcours.deployment
     set suno_credits = p_credits, suno_credits_read_at = clock_timestamp() where one_row;
$$;

-- What alerts are judged by, beside the figures of the report.
create function public.read_snapshot(p_since timestamptz) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'credits', (select suno_credits from parcours.deployment),
    'credits_read_at', (select suno_credits_read_at from parcours.deployment),
    'account_refused_at', (
       select max(happened_at) from public.parcours_events
        where what = 'segment.failed' and detail->>'reason' = 'suno_account'
          and happened_at >= p_since),
    'jobs_given_up', (select count(*) from parcours.dead_letters),
    'jobs_unreadable', (select count(*) from parcours.dead_letters where reason = 'unreadable'),
    'day', parcours.read_day(),
    'reserve', (
      select coalesce(jsonb_object_agg(preset_key, jsonb_build_object(
               'ready', ready, 'missing', missing)), '{}')
        from (
          select preset_key, count(*) filter (where has_file) as ready,
                 count(*) filter (where not has_file) as missing
            from (
              select preset_key, exists (
                       select from storage.objects
                        where bucket_id = 'parcours-tracks'
                          and name = parcours.reserve_path(piece)) as has_file
                from parcours.reserve_pieces as piece where status = 'ready'
            ) as pieces group by preset_key
        ) as presets),
    'reserve_failed', (
       select count(*) from parcours.reserve_tasks
        where status = 'failed' and claimed_at > now() - interval '24 hours'),
    'reserve_claimed_at', (select max(claimed_at) from parcours.reserve_tasks),
    'maintenance_due_at', (select maintenance_due_at from parcours.deployment));
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

revoke execute on function public.record_credits, public.read_snapshot, public.update_alerts,
  public.record_notification from public, anon, authenticated;
grant execute on function public.record_credits, public.read_snapshot, public.update_alerts,
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
               when 'run.briefed' then coalesce(page.detail->>'brief_source', 'unknown')
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
