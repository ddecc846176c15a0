-- The two tables of a journey. See docs/specification.md#runs-table and
-- docs/specification.md#segments-table.

create table if not exists public.parcours_runs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  preset_key text not null,
  status text not null default 'creating'
    check (status in ('creating', 'ready', 'failed')),
  brief text,
  suds_start integer check (suds_start between 0 and 10),
  suds_mid integer check (suds_mid between 0 and 10),
  suds_end integer check (suds_end between 0 and 10),
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index if not exists idx_runs_user on public.parcours_runs (user_id);
create index if not exists idx_runs_status on public.parcours_runs (status);
-- A user's quota of a day, and who created the most.
create index if not exists idx_runs_user_created on public.parcours_runs (user_id, created_at);
create index if not exists idx_runs_created on public.parcours_runs (created_at, user_id);

create table if not exists public.parcours_segments (
  id uuid primary key default gen_random_uuid(),
  run_id uuid not null references public.parcours_runs on delete cascade,
  segment_index integer not null,
  prompt text not null,
  status text not null default 'queued'
    check (status in ('queued', 'generating', 'first', 'complete', 'failed')),
  suno_task_id text,
  preview_url text,
  final_url text,
  storage_path text,
  duration_seconds integer,
  callback_token uuid default gen_random_uuid(),
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create unique index if not exists u_segments_run_idx
  on public.parcours_segments (run_id, segment_index);
create index if not exists idx_segments_status on public.parcours_segments (status);
-- What maintenance looks for every minute, among all that is complete: tracks to be stored, and
-- those that play from Suno's own address.
create index if not exists idx_segments_storing on public.parcours_segments (id)
  where status <> 'complete' and metadata ? 'complete_received_at';
create index if not exists idx_segments_linked on public.parcours_segments (id)
  where status = 'complete' and storage_path is null and not metadata ? 'track_lost_at';

-- Segments that were there before may refer to no run yet, or not by a cascade.
do $$
begin
  if not exists (
    select from pg_constraint
     where contype = 'f' and conrelid = 'public.parcours_segments'::regclass
       and confrelid = 'public.parcours_runs'::regclass and confdeltype = 'c'
       and conkey = array[(select attnum from pg_attribute
                            where attrelid = conrelid and attname = 'run_id')]
  ) then
    alter table public.parcours_segments add constraint parcours_segments_run_id_fkey
      foreign key (run_id) references public.parcours_runs on delete cascade;
  end if;
end;
$$;

comment on table public.parcours_runs is 'A journey of 18 to 24 minutes, owned by one user.';
comment on table public.parcours_segments is 'One piece of a journey: one Suno task an attempt.';
comment on column public.parcours_segments.segment_index is 'The place in the journey, from 0.';
comment on column public.parcours_segments.callback_token is
  'The attempt: a retry changes it, completion clears it.';
comment on column public.parcours_segments.final_url is
  'Suno''s own address, which expires; set only when the track could not be stored.';

create function parcours.touch_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
revoke execute on function parcours.touch_updated_at from public;

create or replace trigger touch_updated_at before update on public.parcours_runs
  for each row execute function parcours.touch_updated_at();

-- Who may see and do what. Closed by default: the grants below are all there is.

alter table public.parcours_runs enable row level security;
alter table public.parcours_segments enable row level security;

revoke all on public.parcours_runs, public.parcours_segments from public, anon, authenticated;

grant select on public.parcours_runs, public.parcours_segments to authenticated;
grant update (suds_start, suds_mid, suds_end) on public.parcours_runs to authenticated;
grant select, insert, update, delete
  on public.parcours_runs, public.parcours_segments to service_role;

create policy "Owners read their runs" on public.parcours_runs
  for select to authenticated
  using (user_id = (select auth.uid()));

create policy "Owners write their SUDS" on public.parcours_runs
  for update to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid()));

create policy "Owners read the segments of their runs" on public.parcours_segments
  for select to authenticated
  -- An array: it is read once a query, and the segments by their index, not everybody's row by row.
  using (run_id = any (array(
    select id from public.parcours_runs where user_id = (select auth.uid())
  )));

-- Frontends may be told of changes instead of asking; a plain PostgreSQL has no such publication,
-- and one FOR ALL TABLES has ours already.
do $$
declare
  listed record;
begin
  for listed in
    select pubname, relname from pg_publication, pg_class
     where pubname = 'supabase_realtime' and not puballtables
       and relnamespace = 'public'::regnamespace
       and relname in ('parcours_runs', 'parcours_segments')
       and not exists (select from pg_publication_tables as told
                        where told.pubname = pg_publication.pubname
                          and told.schemaname = 'public' and told.tablename = relname)
  loop
    execute format('alter publication %I add table public.%I', listed.pubname, listed.relname);
  end loop;
exception when insufficient_privilege then
  raise warning 'supabase_realtime belongs to somebody else: add parcours_runs and'
    ' parcours_segments to it in the dashboard, or frontends have to ask';
end;
$$;

-- Who has Parcours XL while it is being rolled out (docs/specification.md#feature-flags-table). The
-- documented statement may have been run by hand before this migration.

create table if not exists public.feature_flags (
  user_id uuid primary key,
  parcours_xl_enabled boolean default false
);

alter table public.feature_flags enable row level security;
revoke all on public.feature_flags from public, anon, authenticated;
grant select, insert, update, delete on public.feature_flags to service_role;

-- What happened, in order. Rows are written inside the functions that change the state, so
-- that the two cannot disagree; nobody changes a row afterwards. Erasing a run erases its events;
-- old ones are rolled up (delete_history).

create table public.parcours_events (
  id bigint generated always as identity primary key,
  -- No foreign key: whoever writes an event holds the run's lock, and checking each event would take
  -- a third of what writing it does. They go with the run (note_erasures).
  run_id uuid not null,
  segment_id uuid,
  what text not null,
  happened_at timestamptz not null default clock_timestamp(),
  detail jsonb not null default '{}'
);

create index idx_events_run on public.parcours_events (run_id, id);
create index idx_events_when on public.parcours_events (happened_at);

alter table public.parcours_events enable row level security;
revoke all on public.parcours_events from public, anon, authenticated, service_role;
grant select on public.parcours_events to service_role;
revoke all on sequence public.parcours_events_id_seq from public, anon, authenticated, service_role;

-- The service names the request that is behind a call in a header. See
-- docs/specification.md#request-ids.
create function parcours.request_id() returns text
language plpgsql stable set search_path = '' as $$
begin
  return substring(
    nullif(current_setting('request.headers', true), '')::jsonb->>'x-parcours-request'
    from '^[0-9a-f]{32}$');
end;
$$;

-- Writes an event, stamped with the id of the request that it comes of; answers its id. Where many
-- calls go through, it is called by assignment: PERFORM runs a query of its own around the call.
create function parcours.log_event(
  p_run_id uuid, p_segment_id uuid, p_what text, p_detail jsonb default '{}'
) returns bigint
language plpgsql set search_path = '' as $$
declare
  event_id bigint;
begin
  insert into public.parcours_events (run_id, segment_id, what, detail)
  values (p_run_id, p_segment_id, p_what, jsonb_strip_nulls(
    p_detail || jsonb_build_object('request_id', parcours.request_id())))
  returning id into event_id;
  return event_id;
end;
$$;
revoke execute on function parcours.request_id, parcours.log_event from public;

-- Runs that were being made before these tables kept a journal: whoever asked wants all of it.
insert into public.parcours_events (run_id, what, detail)
select id, 'run.started', '{"adopted": true}' from public.parcours_runs as run
 where status = 'creating' and exists (
   select from public.parcours_segments where run_id = run.id and status <> 'queued');
