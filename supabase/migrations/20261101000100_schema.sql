-- The two tables of a journey, as the runbook documents them ("Base de données").

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

create unique index if not exists u_segments_run_idx on public.parcours_segments (run_id, segment_index);
create index if not exists idx_segments_status on public.parcours_segments (status);

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
