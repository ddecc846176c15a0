-- Roles and schemas as a hosted Supabase project has them before its first migration.
-- Read from the migrations of supabase/postgres (PostgreSQL 17). Run once, by supabase_admin.
-- The login roles get the project's password from the caller.

-- The project's own role: it may do much, but it is no superuser.
create role postgres login createdb createrole replication bypassrls;
alter role postgres set search_path to "$user", public, extensions;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
alter database postgres owner to postgres;

-- The roles of requests, and the one PostgREST connects with to become them.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';

-- Auth and Storage keep their tables in schemas of their own.
create role supabase_auth_admin login noinherit;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = '60s';
grant create on database postgres to supabase_auth_admin;

-- Storage acts as whoever asks, so that row level security decides; postgres writes its policies.
create role supabase_storage_admin login noinherit;
alter role supabase_storage_admin set search_path = storage;
grant create on database postgres to supabase_storage_admin;
grant authenticator to supabase_storage_admin;
grant supabase_storage_admin to postgres;
