-- parcours-xl-callback: Suno reports progress, by itself or because it was asked (record-info).
-- See docs/specification.md#callbacks and docs/architecture.md#a-callback-step-by-step.
--
-- The event, one value for both messengers:
--   stage    'first' | 'complete' | 'error' | 'pending' (asked, nothing new) | anything else
--   source   'callback' | 'record_info'
--   task_id  Suno's task, when named
--   tracks   [{id, stream_url, download_url, trusted, refused_host, duration_seconds}]
--            trusted: the download host is on the list; otherwise Suno must confirm the address
--            before it is fetched. refused_host: the address was dropped before.
--   error    {code, message, again, kind}; kind 'content': Suno refuses the words that were sent

--
-- An event changes a locked segment in memory; record_callback writes it, once, when it has
-- changed.

-- Does this token open the segment to events? It is the attempt's, from its claim; a complete
-- segment skips whatever comes. A segment that is not claimed has no attempt: its token has never
-- left this database but for its owner, and is as wrong as any other.
create function parcours.accepts_token(p_segment public.parcours_segments, p_token uuid)
returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(
    p_segment.status = 'complete'
    or p_segment.callback_token = p_token and p_segment.status <> 'queued'
       and (p_segment.status <> 'failed' or p_segment.metadata ? 'claimed_at'), false);
end;
$$;

-- Would this callback change nothing? Then it takes no lock and writes nothing. What is not known
-- before the lock is judged behind it.
create function parcours.is_repeated(p_segment public.parcours_segments, p_event jsonb)
returns boolean
language plpgsql immutable set search_path = '' as $$
declare
  facts jsonb := p_segment.metadata;
  stage text := p_event->>'stage';
begin
  if p_event->>'source' = 'record_info' then
    return false;
  end if;
  return coalesce(
    p_segment.status = 'complete'
    or p_event->>'task_id' <> p_segment.suno_task_id
    or p_segment.suno_task_id is not null and case
         when stage = 'first' then
           p_segment.preview_url is not null and facts ? 'first_received_at'
           or p_segment.status = 'failed' and not facts ? 'complete_received_at'
         when facts ? 'complete_received_at' then true
         when p_segment.status = 'failed' then
           stage <> 'complete' or facts->'failure'->>'reason' <> 'timeout'
         else stage = 'error' and facts ? 'ask_at' end,
    false);
end;
$$;

-- suno_track_id names the ONE track behind preview_url and storage_path. While that track is being
-- stored, a late `first` only fills what is empty.
create function parcours.accept_first(
  inout segment public.parcours_segments, p_event jsonb, out outcome text
)
language plpgsql set search_path = '' as $$
declare
  facts jsonb := segment.metadata;
  wanted jsonb := facts->'suno_track_id';
  heard jsonb := jsonb_path_query_first(
    p_event->'tracks', '$[*] ? (@.stream_url != null && ($wanted == null || @.id == $wanted))',
    jsonb_build_object('wanted', wanted));
  other jsonb := jsonb_path_query_first(
    p_event->'tracks', '$[*] ? (@.id != null && $heard != null && @.id != $heard)',
    jsonb_build_object('heard', heard->'id'));
  event_id bigint;
begin
  outcome := 'skipped';
  if heard is null or segment.preview_url is not null and facts ? 'first_received_at' then
    return;
  end if;
  if not facts ? 'complete_received_at' then
    segment.status := 'first';
  end if;
  segment.preview_url := coalesce(segment.preview_url, heard->>'stream_url');
  segment.metadata := jsonb_strip_nulls(jsonb_build_object(
      'suno_second_track_id', other->>'id',
      'suno_second_stream_url', other->>'stream_url',
      'whole_track', case when (heard->>'trusted')::boolean and heard->>'download_url' is not null
                          then heard - array['stream_url', 'refused_host'] end))
    || facts || jsonb_strip_nulls(jsonb_build_object(
      'first_received_at', coalesce(facts->'first_received_at', to_jsonb(clock_timestamp())),
      'suno_track_id', coalesce(wanted, heard->'id')));
  event_id := parcours.log_event(segment.run_id, segment.id, 'segment.first',
    jsonb_build_object('source', p_event->'source'));
  outcome := 'ok';
end;
$$;

-- Suno is to be asked at once, because of an event that proves nothing by itself. Events cause half
-- of an attempt's questions at most: the rest is kept for those that are due by the clock. Only
-- about an active run is anybody asked.
create function parcours.ask_soon(inout segment public.parcours_segments, out is_asked boolean)
language plpgsql set search_path = '' as $$
begin
  is_asked := not segment.metadata ? 'ask_at' and coalesce((
    select coalesce((segment.metadata->>'questions')::integer, 0) < limits.questions_max / 2
      from parcours.active_runs as active join parcours.limits on limits.id = active.limits_id
     where active.run_id = segment.run_id), false);
  if is_asked then
    segment.metadata := segment.metadata || jsonb_build_object('ask_at', clock_timestamp());
  end if;
end;
$$;

-- An error that a callback reports may be forged, and another attempt is paid for: Suno confirms it
-- first. Of a task that is not known Suno cannot be asked: it answers the submission, or is silent.
create function parcours.report_error(
  inout segment public.parcours_segments, p_event jsonb, out outcome text
)
language plpgsql set search_path = '' as $$
declare
  asked record;
begin
  outcome := 'skipped';
  if coalesce(segment.suno_task_id, p_event->>'task_id') is null then
    return;
  end if;
  asked := parcours.ask_soon(segment);
  if asked.is_asked then
    segment := asked.segment;
    segment.metadata := segment.metadata || '{"error_reported": true}';
    perform parcours.log_event(segment.run_id, segment.id, 'segment.error_reported',
      jsonb_build_object('code', p_event->'error'->'code'));
    outcome := 'ok';
  end if;
end;
$$;

create function parcours.accept_complete(
  inout segment public.parcours_segments, p_event jsonb, out outcome text
)
language plpgsql set search_path = '' as $$
declare
  facts jsonb := segment.metadata;
  wanted text := facts->>'suno_track_id';
  tracks jsonb := jsonb_path_query_array(p_event->'tracks', '$[*] ? (@.download_url != null)');
  delivered jsonb := coalesce(
    jsonb_path_query_first(tracks, '$[*] ? ($wanted != null && @.id == $wanted)',
                           jsonb_build_object('wanted', wanted)),
    tracks->0);
  unlike_it constant jsonpath :=
    '$[*] ? (@.id != null && $delivered != null && @.id != $delivered)';
  its_id jsonb := jsonb_build_object('delivered', delivered->'id');
  other jsonb := jsonb_path_query_first(p_event->'tracks', unlike_it, its_id);
  -- The preview that is heard stays until another track is stored in its place (record_track).
  is_heard boolean := segment.preview_url is not null and wanted is not null;
  refused_host text := jsonb_path_query_first(
    p_event->'tracks', '$[*] ? (@.refused_host != null)')->>'refused_host';
  event_id bigint;
begin
  outcome := 'skipped';
  if delivered is null and refused_host is not null and p_event->>'source' = 'record_info' then
    perform parcours.fail_attempt(segment, 'url_refused',
      jsonb_build_object('host', left(refused_host, 253)), false);
    outcome := 'failed';
    return;
  elsif delivered is null then
    -- A callback says "complete" and gives no music yet, or from a host that is refused: Suno is
    -- asked at once. When that was its answer, it is asked again when it is due, not over and over.
    if p_event->>'source' = 'callback' then
      segment := (parcours.ask_soon(segment)).segment;
    end if;
    return;
  end if;

  segment.preview_url := coalesce(segment.preview_url, delivered->>'stream_url');
  segment.duration_seconds := round((delivered->>'duration_seconds')::numeric);
  segment.metadata := facts || jsonb_strip_nulls(jsonb_build_object(
    'complete_received_at', clock_timestamp(),
    'suno_track_id', case when is_heard then wanted else delivered->>'id' end,
    'delivered_track_id', case when is_heard then delivered->>'id' end,
    'delivered_stream_url', case when is_heard then delivered->>'stream_url' end,
    'suno_download_url',
      case when (delivered->>'trusted')::boolean then delivered->>'download_url' end,
    'suno_second_track_id', other->>'id',
    'suno_second_stream_url', other->>'stream_url',
    'suno_second_download_url',
      case when (other->>'trusted')::boolean then other->>'download_url' end));
  -- What pgmq.send does, without planning it anew at each call.
  insert into pgmq.q_parcours_tracks (vt, message) values (clock_timestamp(), jsonb_build_object(
    'kind', 'store', 'run_id', segment.run_id, 'segment_id', segment.id,
    'callback_token', segment.callback_token,
    'task_id', coalesce(segment.suno_task_id, p_event->>'task_id'),
    'track_id', delivered->>'id', 'download_url', delivered->>'download_url',
    'trusted', (delivered->>'trusted')::boolean,
    'others', (select coalesce(jsonb_agg(track - array['stream_url', 'refused_host']), '[]')
                 from jsonb_path_query(tracks, unlike_it, its_id) as track)));
  event_id := parcours.log_event(segment.run_id, segment.id, 'segment.delivered',
    jsonb_build_object('source', p_event->'source', 'late', segment.status = 'failed'));
  outcome := 'ok';
end;
$$;

-- A task failed. A track that had come out whole before, or that the record still names, is kept.
create function parcours.accept_error(
  inout segment public.parcours_segments, p_event jsonb, out outcome text
)
language plpgsql set search_path = '' as $$
declare
  kept jsonb := case
    when p_event->'tracks' @? '$[*].download_url ? (@ != null)' then p_event
    when segment.metadata ? 'whole_track' then p_event || jsonb_build_object(
      'tracks', jsonb_build_array(segment.metadata->'whole_track')) end;
  accepted record;
begin
  if kept is not null then
    accepted := parcours.accept_complete(segment, kept);
    segment := accepted.segment;
    outcome := accepted.outcome;
    return;
  end if;
  perform parcours.fail_attempt(segment,
    case when p_event->'error'->>'kind' = 'content' then 'suno_content' else 'suno_error' end,
    jsonb_build_object('code', p_event->'error'->'code',
                       'message', left(p_event->'error'->>'message', 500)),
    coalesce((p_event->'error'->>'again')::boolean, true));
  outcome := 'failed';
end;
$$;

-- May this event speak of this attempt? Of its task; or, while none is known, of any, as long as
-- the submission may still be on its way.
create function parcours.concerns(p_segment public.parcours_segments, p_event jsonb)
returns boolean
language plpgsql stable set search_path = '' as $$
begin
  if p_event->>'task_id' is null then
    return true;
  elsif p_segment.suno_task_id is not null then
    return p_segment.suno_task_id = p_event->>'task_id';
  end if;
  return coalesce((p_segment.metadata->>'claimed_at')::timestamptz > clock_timestamp() - (
    select make_interval(secs => limits.unanswered_s)
      from parcours.active_runs as active join parcours.limits on limits.id = active.limits_id
     where active.run_id = p_segment.run_id), false);
end;
$$;

-- What one event does to a locked segment whose token was right, and whose task it is of. outcome:
-- 'ok', 'skipped', or 'failed': the attempt has ended, and that is written already.
create function parcours.accept_event(
  inout segment public.parcours_segments, p_event jsonb, out outcome text
)
language plpgsql set search_path = '' as $$
declare
  stage text := p_event->>'stage';
  accepted record;
begin
  if parcours.is_storing(segment) and stage is distinct from 'first' then
    outcome := 'skipped';
    return;
  elsif segment.status = 'failed' and not parcours.is_storing(segment) and not (
    -- Music that came after the time-out is still welcome; anything else is too late.
    stage = 'complete' and segment.metadata->'failure'->>'reason' = 'timeout'
  ) then
    outcome := 'skipped';
    return;
  end if;
  if stage = 'first' then
    accepted := parcours.accept_first(segment, p_event);
  elsif stage = 'complete' then
    accepted := parcours.accept_complete(segment, p_event);
  elsif stage = 'error' and p_event->>'source' = 'record_info' then
    accepted := parcours.accept_error(segment, p_event);
  elsif stage = 'error' then
    accepted := parcours.report_error(segment, p_event);
  else
    outcome := 'ok';
    return;
  end if;
  segment := accepted.segment;
  outcome := accepted.outcome;
end;
$$;

-- An attempt that was heard of is never submitted again, task or no task. What a callback says of
-- the task stands until the submission's own answer.
create function parcours.bind_task(p_segment public.parcours_segments, p_event jsonb)
returns public.parcours_segments
language plpgsql set search_path = '' as $$
declare
  segment public.parcours_segments := p_segment;
begin
  if segment.suno_task_id is null and segment.status in ('generating', 'first') then
    segment.suno_task_id := p_event->>'task_id';
    segment.metadata := segment.metadata - 'next_try_at'
      || jsonb_build_object('heard_at', clock_timestamp())
      || case when p_event->>'task_id' is null then '{}'::jsonb
              else '{"task_unconfirmed": true}' end;
  end if;
  return segment;
end;
$$;

-- Whether a callback may be read at all; PT401 exactly where record_callback raises it.
create function public.check_callback(p_segment_id uuid, p_token uuid) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if not exists (select from public.parcours_segments as segment
                  where id = p_segment_id and parcours.accepts_token(segment, p_token))
     and not exists (select from parcours.reserve_tasks
                      where id = p_segment_id and callback_token = p_token) then
    raise sqlstate 'PT401' using message = 'unknown segment or wrong token';
  end if;
end;
$$;

-- What record_callback answers; of a run that is traced also which it is.
create function parcours.describe_outcome(p_outcome text, p_run_id uuid) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object('outcome', p_outcome) || coalesce((
    select jsonb_build_object('run_id', id, 'trace', metadata->'trace')
      from public.parcours_runs where id = p_run_id and metadata ? 'trace'), '{}');
$$;

-- Answers {outcome: 'ok' | 'skipped', run_id, trace}; PT401, the same for an unknown segment and a wrong token.
create function public.record_callback(p_segment_id uuid, p_token uuid, p_event jsonb)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  before public.parcours_segments;
  segment public.parcours_segments;
  accepted record;
  outcome text := 'skipped';
  is_open boolean;
  is_repeated boolean;
  is_later boolean;
  is_news boolean;
begin
  -- Nobody takes a lock without the token, or for nothing.
  select * into before from public.parcours_segments where id = p_segment_id;
  is_open := parcours.accepts_token(before, p_token);
  is_repeated := is_open and parcours.is_repeated(before, p_event);
  if is_open and not is_repeated then
    perform from public.parcours_runs where id = before.run_id for update;
    select * into before from public.parcours_segments where id = p_segment_id for update;
    is_open := parcours.accepts_token(before, p_token);
    is_repeated := before.status = 'complete' or parcours.is_repeated(before, p_event);
  end if;
  if not is_open then
    -- A task of the reserve stands in the segment's place.
    is_news := parcours.note_reserve_callback(p_segment_id, p_token, p_event->>'task_id');
    if is_news is null then
      raise sqlstate 'PT401' using message = 'unknown segment or wrong token';
    end if;
    return jsonb_build_object('outcome', case when is_news then 'ok' else 'skipped' end);
  elsif is_repeated then
    return jsonb_build_object('outcome', 'skipped');
  end if;

  segment := before;
  if p_event->>'source' = 'record_info' then
    -- Suno's record may lag behind its callback: of an error it is asked once more.
    segment.metadata := before.metadata - array['ask_at', 'error_reported']
      || jsonb_build_object('asked_at', clock_timestamp())
      || case when before.metadata ? 'error_reported' and p_event->>'stage' <> 'error'
              then jsonb_build_object('ask_at', clock_timestamp() + interval '15 seconds')
              else '{}' end;
  end if;
  if parcours.concerns(segment, p_event) then
    accepted := parcours.accept_event(segment, p_event);
    outcome := accepted.outcome;
    if outcome = 'failed' then
      perform parcours.schedule_run(segment.run_id, p_ended => true);
      return parcours.describe_outcome('ok', segment.run_id);
    end if;
    segment := accepted.segment;
    if outcome = 'ok' or p_event->>'stage' is distinct from 'error' then
      segment := parcours.bind_task(segment, p_event);
    end if;
  end if;
  if segment is not distinct from before then
    return jsonb_build_object('outcome', outcome);
  end if;
  update public.parcours_segments
     set status = segment.status, suno_task_id = segment.suno_task_id,
         preview_url = segment.preview_url, duration_seconds = segment.duration_seconds,
         metadata = segment.metadata
   where id = segment.id;
  -- A callback `first` of a task that is known only moves a deadline back: whoever takes the
  -- message before its time sees that.
  if p_event->>'stage' is distinct from 'first' or p_event->>'source' = 'record_info'
     or before.suno_task_id is null then
    is_later := parcours.schedule_run(segment.run_id);
  end if;
  return parcours.describe_outcome(outcome, segment.run_id);
end;
$$;

revoke execute on function parcours.accepts_token, parcours.is_repeated, parcours.accept_first,
  parcours.ask_soon, parcours.report_error, parcours.accept_complete, parcours.accept_error,
  parcours.concerns, parcours.accept_event, parcours.bind_task, parcours.describe_outcome
  from public;
revoke execute on function public.check_callback, public.record_callback
  from public, anon, authenticated;
grant execute on function public.check_callback, public.record_callback to service_role;
