-- What each database of a hosted project has before its first migration, Auth and Storage aside.
-- Run once, by supabase_admin, after roles.sql.

-- No default privileges for the API roles: a table is theirs only where a migration says so.
alter schema public owner to postgres;
revoke create on schema public from public;
grant usage on schema public to anon, authenticated, service_role;

create schema extensions;
grant all on schema extensions to postgres;
grant usage on schema extensions to anon, authenticated, service_role;
create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;
