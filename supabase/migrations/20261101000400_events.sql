-- What happened, in order. Rows are written inside the functions that change the state, so
-- that the two cannot disagree; nobody changes a row afterwards. Erasing a run erases its events.

create table public.parcours_events (
  id bigint generated always as identity primary key,
  run_id uuid not null references public.parcours_runs on delete cascade,
  segment_id uuid references public.parcours_segments on delete cascade,
  what text not null,
  happened_at timestamptz not null default clock_timestamp(),
  detail jsonb not null default '{}'
);

create index idx_events_run on public.parcours_events (run_id, id);
create index idx_events_segment on public.parcours_events (segment_id);
create index idx_events_when on public.parcours_events (happened_at);

alter table public.parcours_events enable row level security;
revoke all on public.parcours_events from public, anon, authenticated, service_role;
grant select on public.parcours_events to service_role;
revoke all on sequence public.parcours_events_id_seq from public, anon, authenticated, service_role;

create function parcours.refuse_rewriting() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT409' using message = 'parcours_events is append-only';
end;
$$;
revoke execute on function parcours.refuse_rewriting from public;

-- At depth 0 a person asks; deeper, the run itself is being erased.
create trigger append_only before update or delete on public.parcours_events
  for each row when (pg_trigger_depth() = 0) execute function parcours.refuse_rewriting();
create trigger append_only_whole before truncate on public.parcours_events
  for each statement execute function parcours.refuse_rewriting();

create function parcours.note(
  p_run_id uuid, p_segment_id uuid, p_what text, p_detail jsonb default '{}'
) returns void
language sql set search_path = '' as $$
  insert into public.parcours_events (run_id, segment_id, what, detail)
  values (p_run_id, p_segment_id, p_what, jsonb_strip_nulls(p_detail));
$$;
revoke execute on function parcours.note from public;

-- Runs that were being made before these tables kept a journal: whoever asked wants all of it.
insert into public.parcours_events (run_id, what, detail)
select id, 'run.started', '{"adopted": true}' from public.parcours_runs as run
 where status = 'creating' and exists (
   select from public.parcours_segments where run_id = run.id and status <> 'queued');
