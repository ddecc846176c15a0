-- The reserve: pieces that Suno composed ahead of time from the presets' own prompts, nothing of any
-- listener's in them (docs/specification.md#reserve). Files: reserve/<presetKey>/<id>.mp3.

-- One Suno task for the reserve, written before it is submitted: whoever dies in between leaves a
-- row that says so, and its callback still names the task.
create table parcours.reserve_tasks (
  id uuid primary key default gen_random_uuid(),
  preset_key text not null,
  -- Which of the preset's prompts, from 0.
  segment_index integer not null check (segment_index >= 0),
  callback_token uuid not null default gen_random_uuid(),
  status text not null default 'submitting'
    check (status in ('submitting', 'composing', 'done', 'failed')),
  suno_task_id text,
  reason text,
  credits integer not null,
  claimed_at timestamptz not null default clock_timestamp(),
  told_at timestamptz
);
create index reserve_tasks_open on parcours.reserve_tasks (claimed_at)
  where status in ('submitting', 'composing');
create index reserve_tasks_when on parcours.reserve_tasks (claimed_at);

-- One piece, written before its file is uploaded: the file's name is known from its id, so an
-- upload that was cut off is repeated, and no file is without a row.
create table parcours.reserve_pieces (
  id uuid primary key default gen_random_uuid(),
  task_id uuid not null references parcours.reserve_tasks on delete cascade,
  preset_key text not null,
  suno_track_id text not null,
  download_url text not null,
  status text not null default 'storing' check (status in ('storing', 'ready', 'dropped')),
  tries integer not null default 0,
  seconds double precision check (seconds > 0),
  loudness_lufs double precision,
  created_at timestamptz not null default clock_timestamp(),
  -- A dropped piece may still be heard by its signed address for an hour.
  erase_after timestamptz,
  unique (task_id, suno_track_id)
);
create index reserve_pieces_preset on parcours.reserve_pieces (preset_key, status);

-- Who was given which piece, and when: those heard least recently come first.
create table parcours.reserve_heard (
  user_id uuid not null,
  piece_id uuid not null references parcours.reserve_pieces on delete cascade,
  given_at timestamptz not null,
  primary key (user_id, piece_id)
);
create index reserve_heard_piece on parcours.reserve_heard (piece_id);

create function parcours.reserve_path(p_piece parcours.reserve_pieces) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return format('reserve/%s/%s.mp3', p_piece.preset_key, p_piece.id);
end;
$$;

-- Begins a task for a preset: {outcome}
--   claimed  submit it now: {id, callback_token, segment_index, slot}. The prompts take turns.
--   full     p_per_preset pieces that are young enough are there, or on their way
--   waits    wait_s: a listener waits for music, the reserve has its share of the Suno quota, or the
--            credits of the day would not be enough for a whole journey any more (reason)
-- PT429 when the quota is full.
create function public.claim_reserve(
  p_limits_id bigint, p_preset_key text, p_per_preset integer, p_prompts integer,
  p_days double precision, p_share double precision
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  limits parcours.limits := parcours.read_limits(p_limits_id);
  credits_wait_s integer;
  task parcours.reserve_tasks;
  reserved bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('parcours.reserve_tasks', 0));
  if parcours.reserve_stock(p_preset_key, p_days) >= p_per_preset then
    return jsonb_build_object('outcome', 'full');
  elsif parcours.listeners_wait() then
    return jsonb_build_object('outcome', 'waits', 'reason', 'listeners', 'wait_s', 10);
  elsif parcours.reserve_requests(limits) >= greatest(1, floor(limits.requests_max * p_share)) then
    return jsonb_build_object(
      'outcome', 'waits', 'reason', 'quota', 'wait_s', limits.requests_window_s);
  elsif limits.credits_daily_max is not null then
    -- This task, and the four segments of a listener after it.
    credits_wait_s := parcours.credits_wait_s(
      limits.credits_a_segment * (1 + 4), limits.credits_daily_max);
    if credits_wait_s is not null then
      return jsonb_build_object('outcome', 'waits', 'reason', 'credits', 'wait_s', credits_wait_s);
    end if;
  end if;
  -- Beyond what any listener asks for: the quota's last places are theirs.
  reserved := parcours.reserve_slot(limits, 'submit', parcours.asked_for_a_journey());
  insert into parcours.reserve_tasks (preset_key, segment_index, credits)
  values (p_preset_key, (
    select count(*) from parcours.reserve_tasks where preset_key = p_preset_key) % p_prompts,
    limits.credits_a_segment)
  returning * into task;
  insert into parcours.submissions (credits) values (task.credits);
  return jsonb_build_object(
    'outcome', 'claimed', 'id', task.id, 'callback_token', task.callback_token,
    'segment_index', task.segment_index, 'slot', reserved);
end;
$$;

-- Pieces of a preset that are young enough, and those that are on their way: two a task.
create function parcours.reserve_stock(p_preset_key text, p_days double precision) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return (
    select count(*) from parcours.reserve_pieces as piece
     where preset_key = p_preset_key and status in ('storing', 'ready')
       and created_at > now() - make_interval(secs => p_days * 86400))
  + 2 * (
    select count(*) from parcours.reserve_tasks
     where preset_key = p_preset_key and status in ('submitting', 'composing'));
end;
$$;

-- Is there a run that is being made, and of which nothing can be heard yet?
create function parcours.listeners_wait() returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (
    select from parcours.active_runs as active
     where active.whole_run and not exists (
       select from public.parcours_segments
        where run_id = active.run_id and status in ('first', 'complete')));
end;
$$;

-- Submissions for the reserve in the window of the quota.
create function parcours.reserve_requests(p_limits parcours.limits) returns bigint
language plpgsql volatile set search_path = '' as $$
begin
  return (
    select count(*) from parcours.reserve_tasks
     where claimed_at > clock_timestamp() - make_interval(secs => p_limits.requests_window_s));
end;
$$;

-- Suno has taken the task. 'late' when it is over, or is known by another id.
create function public.record_reserve_task(p_id uuid, p_task_id text) returns text
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.reserve_tasks
     set suno_task_id = p_task_id, status = 'composing'
   where id = p_id and status in ('submitting', 'composing')
     and coalesce(suno_task_id, p_task_id) = p_task_id;
  return case when found then 'ok' else 'late' end;
end;
$$;

-- A callback about a task of the reserve: it tells nothing but that there is news, and, where the
-- answer to the submission was lost, the task's id. Suno's own record has the rest. Null: unknown,
-- or a wrong token; else whether it was news.
create function parcours.note_reserve_callback(p_id uuid, p_token uuid, p_task_id text)
returns boolean
language plpgsql set search_path = '' as $$
declare
  task parcours.reserve_tasks;
begin
  select * into task from parcours.reserve_tasks where id = p_id and callback_token = p_token;
  if not found then
    return null;
  elsif task.status not in ('submitting', 'composing') or task.told_at is not null and (
    task.suno_task_id is not null or p_task_id is null)
  then
    return false;
  end if;
  update parcours.reserve_tasks
     set told_at = clock_timestamp(), suno_task_id = coalesce(suno_task_id, p_task_id),
         status = case when coalesce(suno_task_id, p_task_id) is null then status
                       else 'composing' end
   where id = p_id;
  return true;
end;
$$;

-- A task that gives no pieces. p_refused: Suno took no credits for it.
create function public.fail_reserve_task(p_id uuid, p_reason text, p_refused boolean)
returns void
language plpgsql security definer set search_path = '' as $$
declare
  task parcours.reserve_tasks;
begin
  update parcours.reserve_tasks
     set status = 'failed', reason = left(p_reason, 200),
         credits = case when p_refused then 0 else credits end
   where id = p_id and status in ('submitting', 'composing')
  returning * into task;
  if found and p_refused then
    delete from parcours.submissions where id = (
      select id from parcours.submissions
       where user_id is null and run_id is null and claimed_at >= task.claimed_at
       order by claimed_at limit 1);
  end if;
end;
$$;

-- The tracks of a task, each a piece to be stored: [{id, download_url}]. Once.
create function public.add_reserve_pieces(p_id uuid, p_tracks jsonb) returns void
language plpgsql security definer set search_path = '' as $$
begin
  insert into parcours.reserve_pieces (task_id, preset_key, suno_track_id, download_url)
  select task.id, task.preset_key, track->>'id', track->>'download_url'
    from parcours.reserve_tasks as task, jsonb_array_elements(p_tracks) as track
   where task.id = p_id and task.status = 'composing'
  on conflict (task_id, suno_track_id) do nothing;
  update parcours.reserve_tasks set status = 'done' where id = p_id and status = 'composing';
end;
$$;

-- What is to be done, oldest first: {tasks, pieces, erase}. tasks: without their music; pieces: to
-- be stored; erase: dropped ones whose file goes now.
create function public.read_reserve_work() returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'tasks', (
      select coalesce(jsonb_agg(jsonb_build_object(
               'id', id, 'suno_task_id', suno_task_id,
               'age_s', extract(epoch from clock_timestamp() - claimed_at))
             order by claimed_at), '[]')
        from parcours.reserve_tasks where status in ('submitting', 'composing')),
    'pieces', (
      select coalesce(jsonb_agg(jsonb_build_object(
               'id', piece.id, 'path', parcours.reserve_path(piece), 'task_id', suno_task_id,
               'suno_track_id', suno_track_id, 'download_url', download_url, 'tries', tries)
             order by piece.created_at, piece.id), '[]')
        from parcours.reserve_pieces as piece
        join parcours.reserve_tasks as task on task.id = piece.task_id
       where piece.status = 'storing'),
    'erase', (
      select coalesce(jsonb_agg(jsonb_build_object(
               'id', id, 'path', parcours.reserve_path(piece))), '[]')
        from parcours.reserve_pieces as piece
       where status = 'dropped' and erase_after <= clock_timestamp()));
$$;

-- Its file is there: 'ready', also where another process was quicker; 'gone' when it was dropped.
create function public.record_reserve_piece(
  p_id uuid, p_seconds double precision, p_loudness_lufs double precision
) returns text
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.reserve_pieces
     set status = 'ready', seconds = p_seconds, loudness_lufs = p_loudness_lufs
   where id = p_id and status = 'storing';
  return case when exists (
    select from parcours.reserve_pieces where id = p_id and status = 'ready')
    then 'ready' else 'gone' end;
end;
$$;

-- A piece could not be had: 'again', or 'dropped' at the last of p_tries.
create function public.fail_reserve_piece(p_id uuid, p_tries integer) returns text
language plpgsql security definer set search_path = '' as $$
declare
  outcome text;
begin
  update parcours.reserve_pieces
     set tries = tries + 1,
         status = case when tries + 1 >= p_tries then 'dropped' else status end,
         erase_after = case when tries + 1 >= p_tries then clock_timestamp() end
   where id = p_id and status = 'storing'
  returning case status when 'dropped' then 'dropped' else 'again' end into outcome;
  return coalesce(outcome, 'dropped');
end;
$$;

-- Takes a piece out: nobody is given it any more, and its file goes after p_after_s seconds. PT404.
create function public.drop_reserve_piece(p_id uuid, p_after_s double precision) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update parcours.reserve_pieces
     set status = 'dropped', erase_after = clock_timestamp() + make_interval(secs => p_after_s)
   where id = p_id;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown piece of the reserve';
  end if;
end;
$$;

-- Drops the oldest pieces that are over their age, as far as enough younger ones are there.
create function public.drop_old_reserve(
  p_preset_key text, p_per_preset integer, p_days double precision, p_after_s double precision
) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  dropped integer;
begin
  update parcours.reserve_pieces
     set status = 'dropped', erase_after = clock_timestamp() + make_interval(secs => p_after_s)
   where id in (
     select id from (
       select id, created_at, row_number() over (order by created_at desc) as place
         from parcours.reserve_pieces where preset_key = p_preset_key and status = 'ready'
     ) as ready
      where place > p_per_preset
        and created_at <= now() - make_interval(secs => p_days * 86400));
  get diagnostics dropped = row_count;
  return dropped;
end;
$$;

-- The file of a dropped piece is gone.
create function public.forget_reserve_piece(p_id uuid) returns void
language sql security definer set search_path = '' as $$
  delete from parcours.reserve_pieces where id = p_id and status = 'dropped';
$$;

-- How full the reserve is, of each preset that has or had a task; missing: ready ones without a
-- file. spent: credits of the last 24 hours.
create function public.read_reserve() returns jsonb
language sql stable security definer set search_path = '' as $$
  with presets as (
    select preset_key from parcours.reserve_tasks group by preset_key
  ), files as (
    select name from storage.objects
     where bucket_id = 'parcours-tracks' and name like 'reserve/%'
  )
  select jsonb_build_object(
    'spent', (select coalesce(sum(credits), 0) from parcours.reserve_tasks
               where claimed_at > now() - interval '24 hours'),
    'failed', (select count(*) from parcours.reserve_tasks
                where status = 'failed' and claimed_at > now() - interval '24 hours'),
    'presets', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'preset_key', preset_key,
        'composing', (select count(*) from parcours.reserve_tasks as task
                       where task.preset_key = presets.preset_key
                         and status in ('submitting', 'composing')),
        'pieces', (
          select coalesce(jsonb_agg(jsonb_build_object(
                   'id', id, 'status', status, 'seconds', seconds,
                   'loudness_lufs', loudness_lufs, 'created_at', created_at,
                   'missing', status = 'ready' and parcours.reserve_path(piece) not in (
                     select name from files))
                 order by created_at), '[]')
            from parcours.reserve_pieces as piece
           where piece.preset_key = presets.preset_key and status <> 'dropped'))
        order by preset_key), '[]')
        from presets));
$$;

-- Ready pieces of a preset for this listener: those given least recently first, together p_seconds
-- where there are as many. They count as given from now on. PT401, PT403: the account.
create function public.give_reserve(
  p_user_id uuid, p_preset_key text, p_seconds double precision
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  given parcours.reserve_pieces[];
begin
  perform parcours.check_account(p_user_id);
  given := array(
    select piece from (
      select piece, sum(piece.seconds) over by_age - piece.seconds as before_s,
             row_number() over by_age as place
        from parcours.reserve_pieces as piece
        left join parcours.reserve_heard as heard
          on heard.piece_id = piece.id and heard.user_id = p_user_id
       where piece.preset_key = p_preset_key and piece.status = 'ready'
      window by_age as (order by heard.given_at nulls first, piece.created_at, piece.id)
    ) as ready
     where before_s < p_seconds order by place);
  insert into parcours.reserve_heard (user_id, piece_id, given_at)
  select p_user_id, piece.id, clock_timestamp() from unnest(given) as piece
  on conflict (user_id, piece_id) do update set given_at = excluded.given_at;
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
             'id', piece.id, 'path', parcours.reserve_path(piece), 'seconds', piece.seconds,
             'loudness_lufs', piece.loudness_lufs)), '[]')
      from unnest(given) as piece);
end;
$$;

revoke execute on function parcours.reserve_path, parcours.reserve_stock, parcours.listeners_wait,
  parcours.reserve_requests, parcours.note_reserve_callback from public;
revoke execute on function public.claim_reserve, public.record_reserve_task,
  public.fail_reserve_task, public.add_reserve_pieces, public.read_reserve_work,
  public.record_reserve_piece, public.fail_reserve_piece, public.drop_reserve_piece,
  public.drop_old_reserve, public.forget_reserve_piece, public.read_reserve, public.give_reserve
  from public, anon, authenticated;
grant execute on function public.claim_reserve, public.record_reserve_task,
  public.fail_reserve_task, public.add_reserve_pieces, public.read_reserve_work,
  public.record_reserve_piece, public.fail_reserve_piece, public.drop_reserve_piece,
  public.drop_old_reserve, public.forget_reserve_piece, public.read_reserve, public.give_reserve
  to service_role;
