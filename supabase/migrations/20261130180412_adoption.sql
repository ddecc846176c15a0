-- A project may have the documented tables already, with rows, from an earlier implementation
-- (docs/specification.md#adoption). They
-- are kept and completed. A shape that contradicts what the next migrations build on is named, all
-- contradictions at once, and nothing is changed.

-- What else the state machine needs lives here, out of every API's reach.
create schema parcours;
revoke all on schema parcours from public;

-- What of theirs had to give way, as the statements that bring it back.
create table parcours.replaced (
  id bigint generated always as identity primary key,
  statement text not null
);

do $$
declare
  -- table, column, type, whether it must have a value, default, what a row without a value gets
  wanted constant jsonb := $json$[
    ["parcours_runs", "id", "uuid", true, "gen_random_uuid()", null],
    ["parcours_runs", "user_id", "uuid", true, null, null],
    ["parcours_runs", "preset_key", "text", true, null, null],
    ["parcours_runs", "status", "text", true, "'creating'", null],
    ["parcours_runs", "brief", "text", false, null, null],
    ["parcours_runs", "suds_start", "integer", false, null, null],
    ["parcours_runs", "suds_mid", "integer", false, null, null],
    ["parcours_runs", "suds_end", "integer", false, null, null],
    ["parcours_runs", "metadata", "jsonb", true, "'{}'", "'{}'"],
    ["parcours_runs", "created_at", "timestamp with time zone", true, "now()", "now()"],
    ["parcours_runs", "updated_at", "timestamp with time zone", true, "now()", "now()"],
    ["parcours_segments", "id", "uuid", true, "gen_random_uuid()", null],
    ["parcours_segments", "run_id", "uuid", true, null, null],
    ["parcours_segments", "segment_index", "integer", true, null, null],
    ["parcours_segments", "prompt", "text", true, null, null],
    ["parcours_segments", "status", "text", true, "'queued'", null],
    ["parcours_segments", "suno_task_id", "text", false, null, null],
    ["parcours_segments", "preview_url", "text", false, null, null],
    ["parcours_segments", "final_url", "text", false, null, null],
    ["parcours_segments", "storage_path", "text", false, null, null],
    ["parcours_segments", "duration_seconds", "integer", false, null, null],
    ["parcours_segments", "callback_token", "uuid", false, "gen_random_uuid()", null],
    ["parcours_segments", "metadata", "jsonb", true, "'{}'", "'{}'"],
    ["parcours_segments", "created_at", "timestamp with time zone", true, "now()", "now()"],
    ["feature_flags", "user_id", "uuid", true, null, null],
    ["feature_flags", "parcours_xl_enabled", "boolean", false, "false", null]
  ]$json$;
  -- table, name, what every row must satisfy
  checks constant text[] := array[
    ['parcours_runs', 'parcours_runs_status_check', 'status in (''creating'', ''ready'', ''failed'')'],
    ['parcours_runs', 'parcours_runs_suds_start_check', 'suds_start between 0 and 10'],
    ['parcours_runs', 'parcours_runs_suds_mid_check', 'suds_mid between 0 and 10'],
    ['parcours_runs', 'parcours_runs_suds_end_check', 'suds_end between 0 and 10'],
    ['parcours_segments', 'parcours_segments_status_check',
     'status in (''queued'', ''generating'', ''first'', ''complete'', ''failed'')']
  ];
  statuses constant jsonb := '{
    "parcours_runs": ["creating", "ready", "failed"],
    "parcours_segments": ["queued", "generating", "first", "complete", "failed"]
  }';
  keys constant text[] := array[
    ['parcours_runs', 'id'], ['parcours_segments', 'id'], ['feature_flags', 'user_id']];
  names constant text[] := array['parcours_runs', 'parcours_segments', 'feature_flags'];
  contradictions text[] := '{}';
  item record;
  want record;
  actual text;
  pair text[];
  bad boolean;
begin
  -- The tables themselves, and the columns that are there.
  for item in
    select oid::regclass as name, relname, relkind, relowner, relrowsecurity from pg_class
     where relnamespace = 'public'::regnamespace and relname = any (names)
  loop
    if item.relkind not in ('r', 'p') then
      contradictions := contradictions || format('public.%s is not a table', item.relname);
    elsif not pg_has_role(item.relowner, 'usage') then
      contradictions := contradictions || format('public.%s belongs to %s, whom %s cannot act as',
        item.relname, item.relowner::regrole, current_user);
    end if;
  end loop;
  for want in
    select row->>0 as tbl, row->>1 as col, row->>2 as typ, (row->>3)::boolean as needed,
           row->>4 as def, row->>5 as fill, to_regclass('public.' || (row->>0)) as rel
      from jsonb_array_elements(wanted) as listed (row)
     where to_regclass('public.' || (row->>0)) is not null
  loop
    select format_type(atttypid, atttypmod) into actual from pg_attribute
     where attrelid = want.rel and attname = want.col and not attisdropped;
    if found and actual <> want.typ then
      contradictions := contradictions
        || format('%s.%s is of type %s, not %s', want.tbl, want.col, actual, want.typ);
    elsif want.needed and want.fill is null and (found or want.def is null) then
      execute case when found then format('select exists (select from %s where %I is null)',
                                          want.rel, want.col)
                   else format('select exists (select from %s)', want.rel) end into bad;
      if bad then
        contradictions := contradictions || format('rows of %s have no %s', want.tbl, want.col);
      end if;
    end if;
  end loop;
  -- A column of theirs that must be given a value which nobody gives any more.
  for item in
    select relname, attname from pg_attribute join pg_class on pg_class.oid = attrelid
     where relnamespace = 'public'::regnamespace and relname = any (names)
       and attnum > 0 and not attisdropped and attnotnull and not atthasdef and attidentity = ''
       and not exists (select from jsonb_array_elements(wanted) as listed (row)
                        where row->>0 = relname and row->>1 = attname)
  loop
    contradictions := contradictions || format(
      '%s.%s must have a value, and Parcours XL gives it none', item.relname, item.attname);
  end loop;
  if contradictions <> '{}' then
    raise exception 'the tables that are there contradict the documented ones: %',
      array_to_string(contradictions, '; ')
      using hint = 'Nothing was changed. Change them by hand, then apply the migrations again.';
  end if;

  -- The rows, now that every column that is there has its type.
  foreach pair slice 1 in array checks loop
    if exists (select from pg_attribute where attrelid = to_regclass('public.' || pair[1])
                  and not attisdropped and attname = substring(pair[3] from '^\w+')) then
      execute format('select exists (select from public.%I where not (%s))', pair[1], pair[3])
        into bad;
      if bad then
        contradictions := contradictions || format('rows of %s break "%s"', pair[1], pair[3]);
      end if;
    end if;
  end loop;
  foreach pair slice 1 in array keys loop
    if to_regclass('public.' || pair[1]) is not null and not exists (
      select from pg_index where indrelid = to_regclass('public.' || pair[1])
         and indisunique and indpred is null and indimmediate and indnkeyatts = 1
         and indkey[0] = (select attnum from pg_attribute
                           where attrelid = indrelid and attname = pair[2] and not attisdropped)
    ) then
      contradictions := contradictions || format('%s.%s is not unique', pair[1], pair[2]);
    end if;
  end loop;
  -- A narrower list of statuses would refuse a state that every run goes through.
  for item in
    select relname, conname, pg_get_expr(conbin, conrelid) as rule from pg_constraint
      join pg_class on pg_class.oid = conrelid
     where contype = 'c' and relnamespace = 'public'::regnamespace and statuses ? relname::text
       and cardinality(conkey) = 1
       and conkey[1] = (select attnum from pg_attribute
                         where attrelid = conrelid and attname = 'status' and not attisdropped)
  loop
    execute format('select exists (select from jsonb_array_elements_text($1) as %I (status)'
                   ' where not (%s))', item.relname, item.rule)
      into bad using statuses->item.relname::text;
    if bad then
      contradictions := contradictions || format(
        '%s refuses a documented status: %s', item.conname, item.rule);
    end if;
  end loop;
  if (select count(*) = 2 from pg_attribute
       where attrelid = to_regclass('public.parcours_segments') and not attisdropped
         and attname in ('run_id', 'segment_index')) then
    execute 'select exists (select from public.parcours_segments'
            ' group by run_id, segment_index having count(*) > 1)' into bad;
    if bad then
      contradictions := contradictions || 'a run has several segments of one segment_index'::text;
    end if;
    if to_regclass('public.parcours_runs') is not null then
      execute 'select exists (select from public.parcours_segments as segment where not exists ('
              'select from public.parcours_runs as run where run.id = segment.run_id))' into bad;
    else
      execute 'select exists (select from public.parcours_segments)' into bad;
    end if;
    if bad then
      contradictions := contradictions || 'segments belong to no run'::text;
    end if;
    if exists (
      select from pg_class as index left join pg_index on indexrelid = index.oid
       where index.relnamespace = 'public'::regnamespace and index.relname = 'u_segments_run_idx'
         and (indrelid = to_regclass('public.parcours_segments') and indisunique
              and indpred is null
              and pg_get_indexdef(indexrelid) like '%(run_id, segment_index)') is not true
    ) then
      contradictions := contradictions
        || 'u_segments_run_idx is not unique on (run_id, segment_index)'::text;
    end if;
  end if;
  if contradictions <> '{}' then
    raise exception 'the tables that are there contradict the documented ones: %',
      array_to_string(contradictions, '; ')
      using hint = 'Nothing was changed. Change them by hand, then apply the migrations again.';
  end if;

  -- Deleting a run or a user would fail, or leave rows behind.
  for item in
    select conrelid::regclass as rel, conname, pg_get_constraintdef(pg_constraint.oid) as def
      from pg_constraint join pg_class on pg_class.oid = conrelid
     where contype = 'f' and confdeltype <> 'c' and relnamespace = 'public'::regnamespace
       and relname = any (names)
       and confrelid in ('auth.users'::regclass, to_regclass('public.parcours_runs'))
  loop
    insert into parcours.replaced (statement) values (format(
      'alter table %s add constraint %I %s', item.rel, item.conname, item.def));
    execute format('alter table %s drop constraint %I', item.rel, item.conname);
  end loop;
  -- Theirs may open what ours close: policies add up.
  for item in
    select * from pg_policies where schemaname = 'public' and tablename = any (names)
  loop
    insert into parcours.replaced (statement) values (format(
      'create policy %I on %I.%I as %s for %s to %s%s%s', item.policyname, item.schemaname,
      item.tablename, item.permissive, item.cmd,
      (select string_agg(case name when 'public' then 'public' else quote_ident(name) end, ', ')
         from unnest(item.roles) as listed (name)),
      ' using (' || item.qual || ')', ' with check (' || item.with_check || ')'));
    execute format('drop policy %I on %I.%I',
                   item.policyname, item.schemaname, item.tablename);
  end loop;
  insert into parcours.replaced (statement)
  select format('grant %s on %I.%I to %I', string_agg(privilege_type, ', '),
                table_schema, table_name, grantee)
    from information_schema.role_table_grants
   where table_schema = 'public' and table_name = any (names)
     and grantee in ('anon', 'authenticated', 'service_role')
   group by table_schema, table_name, grantee;
  insert into parcours.replaced (statement)
  select format('alter table %s disable row level security', oid::regclass) from pg_class
   where relnamespace = 'public'::regnamespace and relname = any (names) and not relrowsecurity;

  -- Missing columns are added, missing values filled in.
  for want in
    select row->>0 as tbl, row->>1 as col, row->>2 as typ, (row->>3)::boolean as needed,
           row->>4 as def, row->>5 as fill
      from jsonb_array_elements(wanted) as listed (row)
     where to_regclass('public.' || (row->>0)) is not null
  loop
    execute format('alter table public.%I add column if not exists %I %s%s',
                   want.tbl, want.col, want.typ, ' default ' || want.def);
    if want.def is not null then
      execute format('alter table public.%I alter column %I set default %s',
                     want.tbl, want.col, want.def);
    end if;
    if want.fill is not null then
      execute format('update public.%I set %I = %s where %2$I is null',
                     want.tbl, want.col, want.fill);
    end if;
    if want.needed then
      execute format('alter table public.%I alter column %I set not null', want.tbl, want.col);
    end if;
  end loop;
  foreach pair slice 1 in array checks loop
    if to_regclass('public.' || pair[1]) is not null and not exists (
      select from pg_constraint
       where conrelid = to_regclass('public.' || pair[1]) and conname = pair[2]
    ) then
      execute format('alter table public.%I add constraint %I check (%s)',
                     pair[1], pair[2], pair[3]);
    end if;
  end loop;

  -- What Suno was asked for before has been one attempt, begun when it is adopted: its callback is
  -- accepted, and Suno is asked about it, as about any other.
  if to_regclass('public.parcours_segments') is not null then
    update public.parcours_segments
       set status = 'generating' where status = 'queued' and suno_task_id is not null;
    update public.parcours_segments
       set metadata = metadata || jsonb_build_object('attempts', 1, 'claimed_at', now())
     where status in ('generating', 'first') and not metadata ? 'claimed_at';
  end if;
end;
$$;
