-- What we hold of a user, for the user (`parcours export`), and who is meant by a name.

-- By id or e-mail address. has_account: false for somebody deleted of whom runs are left. PT404
-- nobody; PT409 several.
create function public.find_user(p_name text) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  named_id uuid := case when p_name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                        then p_name::uuid end;
  found_ids uuid[] := array(
    select id from auth.users where id = named_id or lower(email) = lower(p_name) limit 2);
begin
  if cardinality(found_ids) > 1 then
    raise sqlstate 'PT409' using message = 'several users have this address: name one by its id';
  elsif cardinality(found_ids) = 1 then
    return (
      select jsonb_build_object('id', id, 'email', email, 'created_at', created_at,
                                'has_account', true)
        from auth.users where id = found_ids[1]);
  elsif exists (select from public.parcours_runs where user_id = named_id)
     or exists (select from public.feature_flags where user_id = named_id) then
    return jsonb_build_object('id', named_id, 'has_account', false);
  end if;
  raise sqlstate 'PT404' using message = 'unknown user';
end;
$$;

-- A user's runs with all that hangs on them, but for our own secrets: p_limit of them after
-- p_after, in the order of their ids.
create function public.read_personal_data(
  p_user_id uuid, p_limit integer, p_after uuid default null
) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'parcours_xl_enabled', (
      select parcours_xl_enabled from public.feature_flags where user_id = p_user_id),
    'runs', coalesce((
      select jsonb_agg(to_jsonb(run) || jsonb_build_object(
               'segments', (
                 select coalesce(jsonb_agg(to_jsonb(segment) - 'callback_token'
                                           order by segment.segment_index), '[]')
                   from public.parcours_segments as segment where segment.run_id = run.id),
               'events', (
                 select coalesce(jsonb_agg(to_jsonb(event) - 'run_id' order by event.id), '[]')
                   from public.parcours_events as event where event.run_id = run.id),
               'idempotency_keys', (
                 select coalesce(jsonb_agg(to_jsonb(creation) - 'run_id' - 'user_id'
                                           order by creation.created_at), '[]')
                   from parcours.creations as creation where creation.run_id = run.id))
             order by run.id)
        from (select * from public.parcours_runs
               where user_id = p_user_id and (p_after is null or id > p_after)
               order by id limit p_limit) as run), '[]'));
$$;

-- What Auth has written down of a user's sign-ins, newest first; null where it cannot be read.
create function public.read_auth_log(p_user_id uuid, p_limit integer default 500) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  entries jsonb;
begin
  if to_regclass('auth.audit_log_entries') is null
     or not has_table_privilege('auth.audit_log_entries', 'select') then
    return null;
  end if;
  execute 'select coalesce(jsonb_agg(to_jsonb(entry) order by created_at desc), ''[]'')'
          '  from (select * from auth.audit_log_entries'
          '         where $1::text in (payload->>''actor_id'', payload->''traits''->>''user_id'')'
          '         order by created_at desc limit $2) as entry'
    into entries using p_user_id, p_limit;
  return entries;
end;
$$;

revoke execute on function public.find_user, public.read_personal_data, public.read_auth_log
  from public, anon, authenticated;
grant execute on function public.find_user, public.read_personal_data, public.read_auth_log
  to service_role;
