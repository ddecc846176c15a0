"""What Parcours XL holds of a user: handed out, or erased (GDPR, articles 15, 17 and 20)."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from parcours_xl.clients.database import Database
from parcours_xl.clients.storage import StorageUnavailable, TrackGone, TrackStorage
from parcours_xl.clients.users import FoundUser, PersonalData, Users
from parcours_xl.errors import PermanentError

PAGE_RUNS = 20
"""Runs in one call: some hundred rows each, and a call may take 8 s."""

OnProgress = Callable[[int, int], None]


@dataclass
class Export:
    """What was handed out. missing: paths of tracks that are no longer in storage.

    enabled: the user's flag in the rollout, if there is one.
    """

    user: FoundUser
    folder: Path
    runs: int = 0
    tracks: int = 0
    missing: list[str] = field(default_factory=list)
    enabled: bool | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "user_id": str(self.user.id),
            "folder": str(self.folder),
            "runs": self.runs,
            "tracks": self.tracks,
            "missing": self.missing,
        }


@dataclass
class Erasure:
    """What was erased. left: runs whose files are left to the workers: Storage is unavailable."""

    user: FoundUser
    runs: int = 0
    files: int = 0
    left: int = 0
    account: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "user_id": str(self.user.id),
            "runs": self.runs,
            "files": self.files,
            "files_left_for_workers": self.left,
            "account_deleted": self.account,
        }


async def find_user(users: Users, name: str) -> FoundUser:
    """By id or e-mail address. Raises PermanentError (404 nobody, 409 several)."""
    return await users.find(name)


def name_user(user: FoundUser) -> str:
    """The id, and the address of one who has an account."""
    return f"{user.id} ({user.email})" if user.email else str(user.id)


async def export_user(
    users: Users, storage: TrackStorage, user: FoundUser, folder: Path, on_progress: OnProgress
) -> Export:
    """Everything of a user's, into an empty folder: user.json, then a folder a run.

    Raises PermanentError when the folder is not empty, RetryableError when Supabase is unavailable.
    """
    _make_private(folder)
    export = Export(user, folder)
    async for page in _read_pages(users, user.id):
        export.enabled = page.parcours_xl_enabled
        for run in page.runs:
            await _export_run(storage, export, run)
            export.runs += 1
        on_progress(export.runs, export.runs)
    log = await users.read_auth_log(user.id)
    if log is not None:
        _write(folder / "auth_log.json", log)
    # Last: where it stands, the export is whole.
    facts = {"parcours_xl_enabled": export.enabled, "missing": export.missing}
    _write(folder / "user.json", user.model_dump(mode="json") | facts)
    return export


async def erase_user(
    database: Database,
    users: Users,
    storage: TrackStorage,
    user: FoundUser,
    on_progress: OnProgress,
    *,
    account: bool,
) -> Erasure:
    """Runs, segments, events, flag and files; with account, the user of Auth too.

    Safe to repeat. Files that Storage does not delete now are left to the workers. Raises
    RetryableError when Supabase is unavailable.
    """
    erasure = Erasure(user)
    remaining = 1
    while remaining:
        erased = await users.erase(user.id, PAGE_RUNS)
        remaining = erased.remaining
        for run_id in erased.run_ids:
            await _erase_files(database, storage, erasure, run_id)
        on_progress(erasure.runs, erasure.runs + remaining)
    if account and user.has_account:
        await users.delete_account(user.id)
        erasure.account = True
    return erasure


def _make_private(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise PermanentError(f"{folder} is not empty")
    # Nobody else on this machine reads somebody's journeys.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


async def _read_pages(users: Users, user_id: UUID) -> AsyncIterator[PersonalData]:
    after: UUID | None = None
    while True:
        page = await users.read(user_id, after, PAGE_RUNS)
        yield page
        if len(page.runs) < PAGE_RUNS:
            return
        after = UUID(page.runs[-1]["id"])


async def _export_run(storage: TrackStorage, export: Export, run: dict[str, Any]) -> None:
    folder = export.folder / "runs" / str(UUID(run["id"]))
    folder.mkdir(parents=True)
    _write(folder / "run.json", run)
    for segment in run["segments"]:
        path = segment["storage_path"]
        if path is None:
            continue
        try:
            track = await storage.read(path)
        except TrackGone:
            export.missing.append(path)
            continue
        (folder / f"{segment['segment_index'] + 1}.mp3").write_bytes(track)
        export.tracks += 1


async def _erase_files(
    database: Database, storage: TrackStorage, erasure: Erasure, run_id: UUID
) -> None:
    erasure.runs += 1
    try:
        erasure.files += await storage.erase_run(run_id)
    except StorageUnavailable:
        erasure.left += 1
        return
    await database.record_erasures([run_id])


def _write(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
