-- What an earlier implementation made of docs/specification.md#database and
-- docs/specification.md#storage, with rows of every state.

create table parcours_runs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users,
  preset_key text not null,
  status text check (status in ('creating', 'ready', 'failed')),
  brief text,
  suds_start integer check (suds_start between 0 and 10),
  suds_mid integer check (suds_mid between 0 and 10),
  suds_end integer check (suds_end between 0 and 10),
  metadata jsonb,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  locale text default 'fr'
);
create index idx_runs_user on parcours_runs (user_id);
create index idx_runs_status on parcours_runs (status);

create table parcours_segments (
  id uuid primary key default gen_random_uuid(),
  run_id uuid references parcours_runs,
  segment_index integer,
  prompt text,
  status text check (status in ('queued', 'generating', 'first', 'complete', 'failed')),
  preview_url text,
  final_url text,
  storage_path text,
  duration_seconds integer,
  callback_token uuid default gen_random_uuid(),
  suno_task_id text,
  created_at timestamptz default now()
);
create unique index u_segments_run_idx on parcours_segments (run_id, segment_index);
create index idx_segments_status on parcours_segments (status);

create function set_updated_at() returns trigger language plpgsql as $$
begin
  new.updated_at = now();
  return new;
end;
$$;
create trigger set_updated_at before update on parcours_runs
  for each row execute function set_updated_at();

alter table parcours_runs enable row level security;
alter table parcours_segments enable row level security;
create policy "Users manage their runs" on parcours_runs
  for all using (auth.uid() = user_id) with check (auth.uid() = user_id);
create policy "Anybody reads segments" on parcours_segments for select using (true);
grant all on parcours_runs, parcours_segments to anon, authenticated, service_role;

insert into storage.buckets (id, name, public) values ('parcours-tracks', 'parcours-tracks', false);
create policy "Service role can manage all tracks"
  ON storage.objects FOR ALL
  USING (bucket_id = 'parcours-tracks' AND auth.role() = 'service_role');
insert into storage.objects (bucket_id, name) values
  ('parcours-tracks', 'runs/00000000-0000-4000-8000-0000000000e1/'
                      '00000000-0000-4000-8000-000000000e11.mp3');

CREATE TABLE feature_flags (
  user_id UUID PRIMARY KEY,
  parcours_xl_enabled BOOLEAN DEFAULT false
);
insert into feature_flags values ('00000000-0000-4000-8000-00000000000a', true);

-- One run is done, one is being made, one was created and not begun.
insert into parcours_runs (id, user_id, preset_key, status, metadata) values
  ('00000000-0000-4000-8000-0000000000e1', '00000000-0000-4000-8000-00000000000a',
   'panique-anxiete', 'ready', '{"theirs": 1}'),
  ('00000000-0000-4000-8000-0000000000e2', '00000000-0000-4000-8000-00000000000a',
   'panique-anxiete', 'creating', null),
  ('00000000-0000-4000-8000-0000000000e3', '00000000-0000-4000-8000-00000000000a',
   'panique-anxiete', 'creating', null);
insert into parcours_segments
  (id, run_id, segment_index, prompt, status, storage_path, callback_token, suno_task_id) values
  ('00000000-0000-4000-8000-000000000e11', '00000000-0000-4000-8000-0000000000e1', 0, 'calm',
   'complete', 'runs/00000000-0000-4000-8000-0000000000e1/'
               '00000000-0000-4000-8000-000000000e11.mp3', null, 'task-1'),
  ('00000000-0000-4000-8000-000000000e21', '00000000-0000-4000-8000-0000000000e2', 0, 'calm',
   'generating', null, '00000000-0000-4000-8000-00000000e210', 'task-2'),
  ('00000000-0000-4000-8000-000000000e22', '00000000-0000-4000-8000-0000000000e2', 1, 'calm',
   'queued', null, '00000000-0000-4000-8000-00000000e220', null),
  ('00000000-0000-4000-8000-000000000e31', '00000000-0000-4000-8000-0000000000e3', 0, 'calm',
   'queued', null, '00000000-0000-4000-8000-00000000e310', null);
