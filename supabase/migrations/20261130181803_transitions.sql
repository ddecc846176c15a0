-- The lives of a segment and of a run, as tables; whoever asks, no other move is possible.
-- journeys/states.py holds the same tables, and a test compares the two.

create table parcours.segment_moves (
  from_status text not null,
  to_status text not null,
  primary key (from_status, to_status)
);
insert into parcours.segment_moves values
  ('queued', 'generating'), ('queued', 'first'), ('queued', 'complete'), ('queued', 'failed'),
  ('generating', 'first'), ('generating', 'complete'), ('generating', 'failed'),
  ('first', 'complete'), ('first', 'failed'),
  ('failed', 'queued'), ('failed', 'complete');

create table parcours.run_moves (
  from_status text not null,
  to_status text not null,
  primary key (from_status, to_status)
);
insert into parcours.run_moves values
  ('creating', 'ready'), ('creating', 'failed'),
  ('failed', 'creating'), ('failed', 'ready');

create function parcours.check_segment_move() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (
    select from parcours.segment_moves
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

create function parcours.check_run_move() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (
    select from parcours.run_moves
     where from_status = old.status and to_status = new.status
  ) then
    raise sqlstate 'PT409' using
      message = format('a run cannot go from %s to %s', old.status, new.status);
  end if;
  return new;
end;
$$;

revoke execute on function parcours.check_segment_move, parcours.check_run_move from public;

create trigger check_move before update of status on public.parcours_segments
  for each row when (old.status is distinct from new.status)
  execute function parcours.check_segment_move();
create trigger check_move before update of status on public.parcours_runs
  for each row when (old.status is distinct from new.status)
  execute function parcours.check_run_move();
