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
  using (exists (
    select from public.parcours_runs as run
     where run.id = run_id and run.user_id = (select auth.uid())
  ));

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
