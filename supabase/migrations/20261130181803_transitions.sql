-- The states of a segment and of a run (docs/specification.md#states), as tables: whoever asks, no
-- other transition is possible. Python's TRANSITIONS hold the same, and a test compares the two.

create table parcours.segment_transitions (
  from_status text not null,
  to_status text not null,
  primary key (from_status, to_status)
);
insert into parcours.segment_transitions values
  ('queued', 'generating'), ('queued', 'first'), ('queued', 'complete'), ('queued', 'failed'),
  ('generating', 'first'), ('generating', 'complete'), ('generating', 'failed'),
  ('first', 'complete'), ('first', 'failed'),
  ('failed', 'queued'), ('failed', 'complete');

create table parcours.run_transitions (
  from_status text not null,
  to_status text not null,
  primary key (from_status, to_status)
);
insert into parcours.run_transitions values
  ('creating', 'ready'), ('creating', 'failed'),
  ('failed', 'creating'), ('failed', 'ready');

create function parcours.check_segment_transition() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (
    select from parcours.segment_transitions
     where from_status = old.status and to_status = new.status
  ) then
    raise sqlstate 'PT409' using
      message = format('a segment cannot go from %s to %s', old.status, new.status);
  end if;
  if old.status = 'failed' and new.status = 'queued'
     and (new.callback_token is null or new.callback_token = old.callback_token) then
    raise sqlstate 'PT409' using
      message = 'a failed segment is queued again only with a new callback_token';
  end if;
  if old.status = 'failed' and new.status = 'complete'
     and not (old.metadata ? 'complete_received_at') then
    raise sqlstate 'PT409' using
      message = 'a failed segment becomes complete only through music that came late';
  end if;
  return new;
end;
$$;

create function parcours.check_run_transition() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (
    select from parcours.run_transitions
     where from_status = old.status and to_status = new.status
  ) then
    raise sqlstate 'PT409' using
      message = format('a run cannot go from %s to %s', old.status, new.status);
  end if;
  return new;
end;
$$;

revoke execute on function parcours.check_segment_transition, parcours.check_run_transition
  from public;

create trigger check_transition before update of status on public.parcours_segments
  for each row when (old.status is distinct from new.status)
  execute function parcours.check_segment_transition();
create trigger check_transition before update of status on public.parcours_runs
  for each row when (old.status is distinct from new.status)
  execute function parcours.check_run_transition();

-- Why a segment failed (docs/specification.md#failure-reasons). retried: within the automatic
-- attempts another attempt follows by itself. Python's FailureReason holds the same.
create table parcours.failure_reasons (
  reason text primary key,
  kind text not null check (kind in ('suno', 'track', 'service', 'user')),
  retried boolean not null
);
insert into parcours.failure_reasons values
  ('timeout', 'suno', false), ('no_answer', 'suno', true), ('suno_error', 'suno', true),
  ('suno_busy', 'suno', true), ('suno_refused', 'suno', false), ('suno_content', 'suno', true),
  ('prompts_used_up', 'suno', false), ('suno_account', 'suno', false),
  ('track_unavailable', 'track', true), ('track_away', 'track', true),
  ('url_refused', 'track', false), ('storing_broke', 'service', false),
  ('attempts_used_up', 'service', false), ('cancelled', 'user', false);
