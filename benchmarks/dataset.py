"""What requests need to find in the database: segments under way, users, a stored track."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
from psycopg.types.json import Jsonb

from benchmarks.deployment import Deployment
from benchmarks.workload import read_limits
from tests.fixtures.users import Forger

USERS = 64
TOKEN_S = 3600

# Nothing but the way to the database and back.
BARE = """
create function public.bench_nothing() returns jsonb language sql as $$ select '{}'::jsonb $$;
revoke execute on function public.bench_nothing from public, anon, authenticated;
grant execute on function public.bench_nothing to service_role;
notify pgrst, 'reload schema';
"""
UNDER_WAY = """
with runs as (
  insert into public.parcours_runs (user_id, preset_key)
  select gen_random_uuid(), '00-universel-reset' from generate_series(1, %s) returning id
)
insert into public.parcours_segments (run_id, segment_index, prompt, status, suno_task_id)
select id, 0, 'Slow piano, 60 BPM', 'generating', 'task-' || id from runs
returning id, callback_token, suno_task_id
"""
# As many of them as have a run that workers look after.
ACTIVATE = """
select count(parcours.activate_run(run_id, true, %s))
  from public.parcours_segments where id = any (%s)
"""
HEARD = """
update public.parcours_segments
   set status = 'first', preview_url = 'https://cdn1.suno.ai/preview.mp3',
       metadata = metadata || jsonb_build_object('first_received_at', now())
 where id = any (%s)
"""
STORED = """
with run as (
  insert into public.parcours_runs (user_id, preset_key, status)
  values (%s, '00-universel-reset', 'ready') returning id
)
insert into public.parcours_segments
  (run_id, segment_index, prompt, status, storage_path, callback_token)
select id, 0, 'Slow piano, 60 BPM', 'complete', %s, null from run
returning id
"""


@dataclass(frozen=True)
class Attempt:
    """A segment that Suno composes, as its callback names it."""

    segment_id: UUID
    token: UUID
    task_id: str


@dataclass(frozen=True)
class Dataset:
    """users: their access tokens. stored: a segment of the first one's, whose track is kept."""

    deployment: Deployment
    users: tuple[str, ...]
    stored: UUID
    stored_path: str
    limits_id: int

    def attempts(self, count: int, *, active: bool = True) -> list[Attempt]:
        """So many segments under way, each of a run of its own. active: workers look after it."""
        rows = self.deployment.query(UNDER_WAY, count)
        if active:
            self.deployment.query(ACTIVATE, self.limits_id, [row["id"] for row in rows])
        return [Attempt(row["id"], row["callback_token"], row["suno_task_id"]) for row in rows]

    def heard(self, count: int) -> list[Attempt]:
        """So many whose `first` has been recorded."""
        attempts = self.attempts(count)
        self.deployment.query(HEARD, [attempt.segment_id for attempt in attempts])
        return attempts

    def owners(self, count: int) -> Iterator[str]:
        """So many tokens, taking turns."""
        return (self.users[place % len(self.users)] for place in range(count))


def prepare_dataset(deployment: Deployment) -> Dataset:
    """Everything that the requests of a round rely on."""
    deployment.query(BARE)
    user_ids = [uuid4() for _ in range(USERS)]
    path = f"runs/{uuid4()}/{uuid4()}.mp3"
    _upload(deployment, path)
    [row] = deployment.query(STORED, user_ids[0], path)
    forger, expires_at = Forger(deployment.project), int(time.time()) + TOKEN_S
    users = tuple(forger.sign(forger.claims(user_id, exp=expires_at)) for user_id in user_ids)
    [limits] = deployment.query(
        "select public.write_limits(%s) as id", Jsonb(read_limits(deployment))
    )
    return Dataset(deployment, users, row["id"], path, limits["id"])


def _upload(deployment: Deployment, path: str) -> None:
    key = deployment.project.service_role_key
    httpx.post(
        f"{deployment.project.url}/storage/v1/object/parcours-tracks/{path}",
        content=b"ID3" + bytes(1000),
        headers={"Authorization": f"Bearer {key}", "apikey": key, "Content-Type": "audio/mpeg"},
        trust_env=False,
    ).raise_for_status()
