-- parcours-xl-callback: Suno reports progress, by itself or because it was asked (record-info).
--
-- The event, one value for both messengers:
--   stage    'first' | 'complete' | 'error' | 'pending' (asked, nothing new) | anything else
--   source   'callback' | 'record_info'
--   task_id  Suno's task, when named
--   tracks   [{id, stream_url, download_url, trusted, refused_host, duration_seconds}]
--            trusted: the download host is on the list; otherwise Suno must confirm the address
--            before it is fetched. refused_host: the address was dropped by the door.
--   error    {code, message, again, kind}; kind 'content': Suno refuses the words that were sent

-- suno_track_id names the ONE track behind preview_url and storage_path. While that track is being
-- stored, a late `first` only fills what is empty.
create function parcours.accept_first(p_segment public.parcours_segments, p_event jsonb)
returns text
language plpgsql set search_path = '' as $$
declare
  wanted text := p_segment.metadata->>'suno_track_id';
  heard jsonb := (
    select track from jsonb_array_elements(p_event->'tracks') with ordinality as t (track, place)
     where track->>'stream_url' is not null and (wanted is null or track->>'id' = wanted)
     order by place limit 1);
  other jsonb := (
    select track from jsonb_array_elements(p_event->'tracks') as t (track)
     where track->>'id' <> heard->>'id' limit 1);
begin
  if heard is null
     or p_segment.preview_url is not null and p_segment.metadata ? 'first_received_at' then
    return 'skipped';
  end if;
  update public.parcours_segments
     set status = case when parcours.is_storing(p_segment) then status else 'first' end,
         preview_url = coalesce(preview_url, heard->>'stream_url'),
         metadata = jsonb_strip_nulls(jsonb_build_object(
             'suno_second_track_id', other->>'id',
             'suno_second_stream_url', other->>'stream_url',
             'whole_track', case when (heard->>'trusted')::boolean
                                   and heard->>'download_url' is not null
                                 then heard - array['stream_url', 'refused_host'] end))
           || metadata || jsonb_strip_nulls(jsonb_build_object(
             'first_received_at', coalesce(metadata->'first_received_at',
                                           to_jsonb(clock_timestamp())),
             'suno_track_id', coalesce(wanted, heard->>'id')))
   where id = p_segment.id;
  perform parcours.note(p_segment.run_id, p_segment.id, 'segment.first',
    jsonb_build_object('source', p_event->'source'));
  return 'ok';
end;
$$;

-- Suno is to be asked at once, because of an event that proves nothing by itself. Events cause half
-- of an attempt's questions at most: the rest is kept for those that are due by the clock.
create function parcours.ask_soon(p_segment public.parcours_segments) returns boolean
language plpgsql set search_path = '' as $$
declare
  budget integer := (
    select parcours.limit_of(limits, 'questions_max') from parcours.runs_in_hand
     where run_id = p_segment.run_id);
begin
  update public.parcours_segments
     set metadata = metadata || jsonb_build_object('ask_at', clock_timestamp())
   where id = p_segment.id and not metadata ? 'ask_at'
     and coalesce((metadata->>'questions')::integer, 0) < budget / 2;
  return found;
end;
$$;

-- An error that a callback reports may be forged, and another attempt is paid for: Suno confirms it
-- first. Of a task that is not known Suno cannot be asked: it answers the submission, or is silent.
create function parcours.report_error(p_segment public.parcours_segments, p_event jsonb)
returns text
language plpgsql set search_path = '' as $$
begin
  if coalesce(p_segment.suno_task_id, p_event->>'task_id') is null
     or not parcours.ask_soon(p_segment) then
    return 'skipped';
  end if;
  update public.parcours_segments
     set metadata = metadata || jsonb_build_object('error_reported', true)
   where id = p_segment.id;
  perform parcours.note(p_segment.run_id, p_segment.id, 'segment.error_reported',
    jsonb_build_object('code', p_event->'error'->'code'));
  return 'ok';
end;
$$;

create function parcours.accept_complete(p_segment public.parcours_segments, p_event jsonb)
returns text
language plpgsql set search_path = '' as $$
declare
  wanted text := p_segment.metadata->>'suno_track_id';
  delivered jsonb := (
    select track from jsonb_array_elements(p_event->'tracks') with ordinality as t (track, place)
     where track->>'download_url' is not null
     order by (track->>'id' = wanted) desc nulls last, place limit 1);
  other jsonb := (
    select track from jsonb_array_elements(p_event->'tracks') as t (track)
     where track->>'id' <> delivered->>'id' limit 1);
  others jsonb := (
    select jsonb_agg(track - array['stream_url', 'refused_host'])
      from jsonb_array_elements(p_event->'tracks') as t (track)
     where track->>'download_url' is not null and track->>'id' <> delivered->>'id');
  -- The preview that is heard stays until another track is stored in its place (record_track).
  is_heard boolean := p_segment.preview_url is not null and wanted is not null;
  refused_host text := (
    select track->>'refused_host' from jsonb_array_elements(p_event->'tracks') as t (track)
     where track->>'refused_host' is not null limit 1);
begin
  if delivered is null and refused_host is not null and p_event->>'source' = 'record_info' then
    perform parcours.fail(p_segment, 'url_refused',
      jsonb_build_object('host', left(refused_host, 253)), false);
    return 'ok';
  end if;
  if delivered is null then
    -- A callback says "complete" and gives no music yet, or from a host that is refused: Suno is
    -- asked at once. When that was its answer, it is asked again when it is due, not over and over.
    if p_event->>'source' = 'callback' then
      perform parcours.ask_soon(p_segment);
    end if;
    return 'skipped';
  end if;

  update public.parcours_segments
     set preview_url = coalesce(preview_url, delivered->>'stream_url'),
         duration_seconds = round((delivered->>'duration_seconds')::numeric),
         metadata = metadata || jsonb_strip_nulls(jsonb_build_object(
           'complete_received_at', clock_timestamp(),
           'suno_track_id', case when is_heard then wanted else delivered->>'id' end,
           'delivered_track_id', case when is_heard then delivered->>'id' end,
           'delivered_stream_url', case when is_heard then delivered->>'stream_url' end,
           'suno_download_url',
             case when (delivered->>'trusted')::boolean then delivered->>'download_url' end,
           'suno_second_track_id', other->>'id',
           'suno_second_stream_url', other->>'stream_url',
           'suno_second_download_url',
             case when (other->>'trusted')::boolean then other->>'download_url' end))
   where id = p_segment.id;
  perform pgmq.send('parcours_tracks', jsonb_build_object(
    'kind', 'store', 'run_id', p_segment.run_id, 'segment_id', p_segment.id,
    'callback_token', p_segment.callback_token,
    'task_id', coalesce(p_segment.suno_task_id, p_event->>'task_id'),
    'track_id', delivered->>'id', 'download_url', delivered->>'download_url',
    'trusted', (delivered->>'trusted')::boolean, 'others', coalesce(others, '[]'::jsonb)));
  perform parcours.note(p_segment.run_id, p_segment.id, 'segment.delivered',
    jsonb_build_object('source', p_event->'source', 'late', p_segment.status = 'failed'));
  return 'ok';
end;
$$;

-- A task failed. A track that had come out whole before, or that the record still names, is kept.
create function parcours.accept_error(p_segment public.parcours_segments, p_event jsonb)
returns text
language plpgsql set search_path = '' as $$
begin
  if p_event->'tracks' @? '$[*].download_url ? (@ != null)' then
    return parcours.accept_complete(p_segment, p_event);
  elsif p_segment.metadata ? 'whole_track' then
    return parcours.accept_complete(p_segment, p_event || jsonb_build_object(
      'tracks', jsonb_build_array(p_segment.metadata->'whole_track')));
  end if;
  perform parcours.fail(p_segment,
    case when p_event->'error'->>'kind' = 'content' then 'suno_content' else 'suno_error' end,
    jsonb_build_object('code', p_event->'error'->'code',
                       'message', left(p_event->'error'->>'message', 500)),
    coalesce((p_event->'error'->>'again')::boolean, true));
  return 'ok';
end;
$$;

-- May this event speak of this attempt? Of its task; or, while none is known, of any, as long as
-- the submission may still be on its way.
create function parcours.concerns(p_segment public.parcours_segments, p_event jsonb)
returns boolean
language sql stable set search_path = '' as $$
  select case
    when p_event->>'task_id' is null then true
    when p_segment.suno_task_id is not null then p_segment.suno_task_id = p_event->>'task_id'
    else coalesce((p_segment.metadata->>'claimed_at')::timestamptz > clock_timestamp() - (
      select parcours.seconds(limits, 'unanswered_s') from parcours.runs_in_hand
       where run_id = p_segment.run_id), false)
  end;
$$;

-- What one event does to a locked segment whose token was right.
create function parcours.accept_event(p_segment public.parcours_segments, p_event jsonb)
returns text
language plpgsql set search_path = '' as $$
declare
  stage text := p_event->>'stage';
begin
  if not parcours.concerns(p_segment, p_event) then
    return 'skipped';
  end if;
  if parcours.is_storing(p_segment) then
    return case stage when 'first' then parcours.accept_first(p_segment, p_event)
                      else 'skipped' end;
  end if;
  if p_segment.status = 'failed' then
    -- Music that came after the time-out is still welcome; anything else is too late.
    if stage = 'complete' and p_segment.metadata->'failure'->>'reason' = 'timeout' then
      return parcours.accept_complete(p_segment, p_event);
    end if;
    return 'skipped';
  end if;
  if stage = 'first' then
    return parcours.accept_first(p_segment, p_event);
  elsif stage = 'complete' then
    return parcours.accept_complete(p_segment, p_event);
  elsif stage = 'error' and p_event->>'source' = 'record_info' then
    return parcours.accept_error(p_segment, p_event);
  elsif stage = 'error' then
    return parcours.report_error(p_segment, p_event);
  end if;
  return 'ok';
end;
$$;

-- An attempt that was heard of is never submitted again, task or no task. What a callback says of
-- the task stands until the submission's own answer.
create function parcours.bind_task(p_segment_id uuid, p_event jsonb) returns void
language sql set search_path = '' as $$
  update public.parcours_segments
     set suno_task_id = p_event->>'task_id',
         metadata = metadata - 'next_try_at'
           || jsonb_build_object('heard_at', clock_timestamp())
           || case when p_event->>'task_id' is null then '{}'::jsonb
                   else '{"task_unconfirmed": true}' end
   where id = p_segment_id and suno_task_id is null and status in ('generating', 'first');
$$;

-- Does this token open the segment to events? It is the attempt's, from its claim; a complete
-- segment skips whatever comes. A segment that is not claimed has no attempt: its token has never
-- left this database but for its owner, and is as wrong as any other.
create function parcours.is_open_to(p_segment public.parcours_segments, p_token uuid)
returns boolean
language sql immutable set search_path = '' as $$
  select coalesce(
    p_segment.status = 'complete'
    or p_segment.callback_token = p_token and p_segment.status <> 'queued'
       and (p_segment.status <> 'failed' or p_segment.metadata ? 'claimed_at'), false);
$$;

-- Whether a callback may be read at all; PT401 exactly where record_callback raises it.
create function public.check_callback(p_segment_id uuid, p_token uuid) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if not exists (select from public.parcours_segments as segment
                  where id = p_segment_id and parcours.is_open_to(segment, p_token)) then
    raise sqlstate 'PT401' using message = 'unknown segment or wrong token';
  end if;
end;
$$;

-- Answers {outcome: 'ok' | 'skipped'}; PT401, the same for an unknown segment and a wrong token.
create function public.record_callback(p_segment_id uuid, p_token uuid, p_event jsonb)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  segment public.parcours_segments;
  outcome text;
  concerned boolean;
begin
  -- Nobody takes a lock without the token.
  select * into segment from public.parcours_segments where id = p_segment_id;
  if segment.status <> 'complete' and parcours.is_open_to(segment, p_token) then
    segment := parcours.lock_segment(p_segment_id);
  end if;
  if not parcours.is_open_to(segment, p_token) then
    raise sqlstate 'PT401' using message = 'unknown segment or wrong token';
  elsif segment.status = 'complete' then
    return jsonb_build_object('outcome', 'skipped');
  end if;

  if p_event->>'source' = 'record_info' then
    -- Suno's record may lag behind its callback: of an error it is asked once more.
    update public.parcours_segments
       set metadata = metadata - array['ask_at', 'error_reported']
             || jsonb_build_object('asked_at', clock_timestamp())
             || case when metadata ? 'error_reported' and p_event->>'stage' <> 'error'
                     then jsonb_build_object(
                       'ask_at', clock_timestamp() + interval '15 seconds')
                     else '{}' end
     where id = segment.id returning * into segment;
  end if;
  concerned := parcours.concerns(segment, p_event);
  outcome := parcours.accept_event(segment, p_event);
  if concerned and (outcome = 'ok' or p_event->>'stage' is distinct from 'error') then
    perform parcours.bind_task(segment.id, p_event);
  end if;
  perform parcours.move_run(segment.run_id);
  return jsonb_build_object('outcome', outcome);
end;
$$;

revoke execute on function parcours.accept_first, parcours.ask_soon, parcours.report_error,
  parcours.accept_complete, parcours.accept_error, parcours.concerns,
  parcours.accept_event, parcours.bind_task,
  parcours.is_open_to from public;
revoke execute on function public.check_callback, public.record_callback
  from public, anon, authenticated;
grant execute on function public.check_callback, public.record_callback to service_role;
