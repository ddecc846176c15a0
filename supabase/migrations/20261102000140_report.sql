-- What a slice of time looked like (runbook, "Métriques clés"), counted here and in one piece:
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

-- Runs that were started in the slice, and how many were not over in time (runbook, "Runner
-- timeout").
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

-- The runbook's "Runs par utilisateur (top abuse)".
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
