-- Who has Parcours XL while it is being rolled out (runbook, "Rollout canary").
-- The runbook's own statement may have been run by hand before this migration.

create table if not exists public.feature_flags (
  user_id uuid primary key,
  parcours_xl_enabled boolean default false
);

alter table public.feature_flags enable row level security;
revoke all on public.feature_flags from public, anon, authenticated;
grant select, insert, update, delete on public.feature_flags to service_role;
