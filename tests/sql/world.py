"""One migrated database, everybody who may ask it, and its clock."""

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from parcours_dev.supabase.project import LocalProject
from tests.sql.callers import Caller

# The defaults (docs/settings.md#timings); a test that needs others says which.
LIMITS: dict[str, Any] = {
    "first_s": 90,
    "complete_s": 240,
    "give_up_s": 300,
    "unanswered_s": 90,
    "retry_s": [2, 4, 6],
    "attempts_automatic": 3,
    "attempts_max": 8,
    "requests_max": 20,
    "requests_window_s": 10,
    "request_s_max": 60,
    "retry_later_s": [60, 300, 900],
    "waits_s": 3600,
    "questions_max": 8,
    "questions_share": 0.25,
    "credits_a_segment": 12,
    "credits_daily_max": None,
    "stuck_s": 300,
    "restore_pause_s": 3600,
    "failed_age_s": 86400,
}

QUOTAS: dict[str, Any] = {
    "runs_daily_user": 10,
    "runs_daily_max": None,
    "credits_a_segment": 12,
    "credits_daily_max": None,
    "place_s": 60,
}

ERASE = """
delete from public.parcours_runs;
delete from parcours.report_hours;
delete from public.feature_flags;
update parcours.deployment set rollout_share = 0;
delete from parcours.suno_requests;
delete from parcours.submissions;
delete from parcours.places;
delete from parcours.recent_creations;
delete from parcours.dead_letters;
delete from parcours.erasures;
delete from parcours.erased_users;
delete from pgmq.q_parcours_generation;
delete from pgmq.q_parcours_tracks;
"""

# Everything that tells the time, moved into the past.
LET_PASS = """
update public.parcours_runs set created_at = created_at - %(time)s;
update public.parcours_runs
   set metadata = jsonb_set(metadata, '{retry_at}',
                            to_jsonb((metadata->>'retry_at')::timestamptz - %(time)s))
 where metadata ? 'retry_at';
update parcours.active_runs set asked_at = asked_at - %(time)s;
update parcours.submissions set claimed_at = claimed_at - %(time)s;
update parcours.recent_creations set created_at = created_at - %(time)s;
update parcours.places set free_at = free_at - %(time)s;
update public.parcours_segments as segment
   set created_at = created_at - %(time)s,
       metadata = metadata || coalesce((
         select jsonb_object_agg(key, (value #>> '{}')::timestamptz - %(time)s)
           from jsonb_each(segment.metadata)
          where key in ('claimed_at', 'heard_at', 'next_try_at', 'asked_at', 'ask_at',
                        'first_received_at', 'complete_received_at')), '{}');
update public.parcours_segments
   set metadata = jsonb_set(metadata, '{failure,at}',
                            to_jsonb((metadata->'failure'->>'at')::timestamptz - %(time)s))
 where metadata->'failure' ? 'at';
update parcours.creations set created_at = created_at - %(time)s;
update parcours.suno_requests
   set reserved_at = reserved_at - %(time)s, answered_at = answered_at - %(time)s;
update pgmq.q_parcours_generation set vt = vt - %(time)s;
update pgmq.q_parcours_tracks set vt = vt - %(time)s;
"""


class World:
    """Callers of one database. `service` asks as the service does, `postgres` looks behind it."""

    def __init__(self, project: LocalProject, database: str) -> None:
        self._project = project
        self._database = database
        self._open = ExitStack()
        self._callers: dict[str, Caller] = {}

    def caller(self, name: str) -> Caller:
        """The one caller of this name."""
        if name not in self._callers:
            self._callers[name] = self.another(name)
        return self._callers[name]

    def another(self, name: str) -> Caller:
        """One more connection of a caller, for what happens at the same time."""
        caller = Caller(self._project, self._database, name)
        self._open.callback(caller.close)
        return caller

    def twin(self) -> "World":
        """The same database with callers of its own, for another thread."""
        twin = World(self._project, self._database)
        self._open.callback(twin.close)
        return twin

    @property
    def service(self) -> Caller:
        return self.caller("service_role")

    @property
    def postgres(self) -> Caller:
        return self.caller("postgres")

    def erase(self) -> None:
        """Forget every run, job and request."""
        self.postgres.connection.execute(ERASE)

    def let_pass(self, seconds: float) -> None:
        """So much time goes by, for all that the database knows."""
        statements = [part for part in LET_PASS.split(";") if part.strip()]
        with self.postgres.connection.transaction():
            for statement in statements:
                self.postgres.connection.execute(
                    statement.encode(), {"time": timedelta(seconds=seconds)}
                )

    def let_pass_of_queues(self, seconds: float) -> None:
        """Every message is due so much sooner, and nothing else has changed."""
        time = timedelta(seconds=seconds)
        self.postgres.do("update pgmq.q_parcours_generation set vt = vt - %s where true", time)

    def close(self) -> None:
        self._open.close()
