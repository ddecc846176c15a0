-- Are access and bucket as the migrations made them? Somebody may have clicked in a dashboard.
-- Answers what is not so, in words; an empty list when all is well.

create function parcours.inspect_tables() returns setof text
language sql stable set search_path = '' as $$
  with expected (name, role, privilege) as (
    values ('parcours_runs', 'authenticated', 'SELECT'),
           ('parcours_segments', 'authenticated', 'SELECT'),
           ('parcours_runs', 'service_role', 'SELECT'),
           ('parcours_segments', 'service_role', 'SELECT'),
           ('parcours_events', 'service_role', 'SELECT')
  ), ours as (
    select oid, relname as name, relrowsecurity from pg_catalog.pg_class
     where relnamespace = 'public'::regnamespace
       and relname in ('parcours_runs', 'parcours_segments', 'parcours_events', 'feature_flags')
  )
  select format('row level security is off on %s', name) from ours where not relrowsecurity
  union all
  select format('%s lacks %s on %s', role, lower(privilege), expected.name)
    from expected join ours using (name)
   where not has_table_privilege(role, ours.oid, privilege)
  union all
  select format('%s may %s %s', role, lower(privilege), ours.name)
    from ours,
         unnest(array['anon', 'authenticated']) as role,
         unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege
   where has_table_privilege(role, ours.oid, privilege)
     and (ours.name, role, privilege) not in (select name, expected.role, expected.privilege
                                                from expected)
  union all
  -- What is granted of single columns: owners write how they feel, and nothing else.
  select format('%s %s %s of %s', role, case when may then 'may write' else 'may not write' end,
                attname, ours.name)
    from ours
    join pg_catalog.pg_attribute on attrelid = ours.oid and attnum > 0 and not attisdropped,
         unnest(array['anon', 'authenticated']) as role,
         lateral (values (has_column_privilege(role, ours.oid, attnum, 'UPDATE'))) as asked (may)
   where may is distinct from (ours.name = 'parcours_runs' and role = 'authenticated'
                               and attname in ('suds_start', 'suds_mid', 'suds_end'))
     and not has_table_privilege(role, ours.oid, 'UPDATE');
$$;

create function parcours.inspect_policies() returns setof text
language sql stable set search_path = '' as $$
  with expected (tablename, policyname) as (
    values ('parcours_runs', 'Owners read their runs'),
           ('parcours_runs', 'Owners write their SUDS'),
           ('parcours_segments', 'Owners read the segments of their runs')
  ), found as (
    select tablename, policyname from pg_catalog.pg_policies
     where schemaname = 'public'
       and tablename in ('parcours_runs', 'parcours_segments', 'parcours_events',
                         'feature_flags')
  )
  select format('the policy "%s" on %s is missing', policyname, tablename)
    from (select tablename, policyname from expected except select * from found) as missing
  union all
  select format('the policy "%s" on %s is none of ours', policyname, tablename)
    from (select * from found except select tablename, policyname from expected) as foreign_one
  union all
  select format('the policy "%s" on %s says something else', policyname, tablename)
    from pg_catalog.pg_policies join expected using (tablename, policyname)
   where schemaname = 'public'
     and not (roles = '{authenticated}' and qual like '%auth.uid()%'
              and cmd = case policyname when 'Owners write their SUDS' then 'UPDATE'
                                        else 'SELECT' end
              and (cmd = 'SELECT' or with_check like '%auth.uid()%'))
  union all
  select format('the policy "%s" on the files opens the bucket', policyname)
    from pg_catalog.pg_policies
   where schemaname = 'storage' and tablename = 'objects' and permissive = 'PERMISSIVE'
     and not (coalesce(qual, '') || coalesce(with_check, '') like '%service_role%')
     and not (coalesce(qual, with_check) like '%bucket_id%'
              and coalesce(qual, '') || coalesce(with_check, '') not like '%parcours-tracks%')
  union all
  select 'the policy of the bucket is missing'
   where not exists (select from pg_catalog.pg_policies
                      where schemaname = 'storage' and tablename = 'objects'
                        and policyname = 'Service role can manage all tracks');
$$;

-- A function of ours is one that runs as its owner and reaches our schema.
create function parcours.inspect_functions() returns setof text
language sql stable set search_path = '' as $$
  select format('%s may call %s', role, proname)
    from pg_catalog.pg_proc, unnest(array['anon', 'authenticated']) as role
   where pronamespace = 'public'::regnamespace and prosecdef
     and (prosrc like '%parcours%' or prosrc like '%pgmq%')
     and has_function_privilege(role, pg_proc.oid, 'execute')
  union all
  select format('%s may enter the schema %s', role, nspname)
    from pg_catalog.pg_namespace, unnest(array['anon', 'authenticated', 'service_role']) as role
   where nspname = 'parcours' and has_schema_privilege(role, pg_namespace.oid, 'usage');
$$;

create function parcours.inspect_bucket() returns setof text
language sql stable set search_path = '' as $$
  select 'the bucket parcours-tracks is missing'
   where not exists (select from storage.buckets where id = 'parcours-tracks')
  union all
  select said from storage.buckets, lateral (
    values (case when public then 'the bucket is public: anybody may listen' end),
           (case when file_size_limit is distinct from 52428800
                 then format('the bucket takes files of %s bytes instead of 50 MB',
                             coalesce(file_size_limit::text, 'any number of')) end),
           (case when not allowed_mime_types @> array['audio/mpeg', 'audio/wav']
                 then 'the bucket does not take audio/mpeg and audio/wav' end)
  ) as judged (said)
   where id = 'parcours-tracks' and said is not null;
$$;

create function public.inspect_access() returns jsonb
language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_agg(said), '[]') from (
    select * from parcours.inspect_tables() as said
    union all select * from parcours.inspect_policies()
    union all select * from parcours.inspect_functions()
    union all select * from parcours.inspect_bucket()) as everything (said);
$$;

revoke execute on function parcours.inspect_tables, parcours.inspect_policies,
  parcours.inspect_functions, parcours.inspect_bucket from public;
revoke execute on function public.inspect_access from public, anon, authenticated;
grant execute on function public.inspect_access to service_role;
