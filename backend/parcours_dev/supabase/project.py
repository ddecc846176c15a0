"""What every server of one embedded project agrees on: addresses, password, keys."""

import json
import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from parcours_dev.errors import LocalError
from parcours_dev.ports import choose_free_ports, is_free
from parcours_dev.supabase.keys import (
    JsonWebKey,
    new_api_key,
    new_secret,
    new_signing_key,
    public_key,
    shared_key,
)

GATEWAY_PORT = 54321
PROJECT_FILE = "project.json"
SIMULATORS_PORTS = ("suno_port", "openai_port")
KEPT = ("port", "database_password", "jwt_secret", "signing_key", "anon_key", "service_role_key")


@dataclass(frozen=True, kw_only=True)
class LocalProject:
    """One embedded Supabase project, kept in `state_dir`.

    The keys, the password and the gateway's `port` stay, and while they are free, the simulators'
    ports; the other ports are drawn at each start. has_hs256_tokens: Auth signs users' tokens with
    the project's secret and shows no keys, as older projects do. has_anonymous_users: anybody may
    sign in anonymously, which a new hosted project does not let them.
    """

    state_dir: Path
    port: int
    postgres_port: int
    postgrest_port: int
    postgrest_admin_port: int
    functions_port: int
    suno_port: int
    openai_port: int
    database_password: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    signing_key: JsonWebKey = field(repr=False)
    anon_key: str = field(repr=False)
    service_role_key: str = field(repr=False)
    has_hs256_tokens: bool = False
    has_anonymous_users: bool = True

    @property
    def url(self) -> str:
        """The one origin that clients know: SUPABASE_URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def rest_url(self) -> str:
        """PostgREST itself, not through the gateway; no `/rest/v1` before its paths."""
        return f"http://127.0.0.1:{self.postgrest_port}"

    @property
    def functions_url(self) -> str:
        """The Parcours XL service itself, which answers under `/functions/v1/`."""
        return f"http://127.0.0.1:{self.functions_port}"

    @property
    def suno_url(self) -> str:
        """The simulated Suno: SUNO_API_BASE."""
        return f"http://127.0.0.1:{self.suno_port}"

    @property
    def openai_url(self) -> str:
        """The simulated OpenAI: OPENAI_BASE_URL, version included."""
        return f"http://127.0.0.1:{self.openai_port}/v1"

    @property
    def storage_dir(self) -> Path:
        """Where the contents of stored objects are kept."""
        return self.state_dir / "storage"

    @property
    def logs_dir(self) -> Path:
        """Where each server writes what it has to say, one file a server."""
        return self.state_dir / "logs"

    @property
    def jwks_public(self) -> dict[str, list[JsonWebKey]]:
        """The key set that Auth shows to the world."""
        return {"keys": [] if self.has_hs256_tokens else [public_key(self.signing_key)]}

    @property
    def jwks_verification(self) -> dict[str, list[JsonWebKey]]:
        """The key set that verifies API keys too. It holds the HS256 secret: not for clients."""
        return {"keys": [public_key(self.signing_key), shared_key(self.jwt_secret)]}

    def database_url(self, role: str = "postgres", database: str = "postgres") -> str:
        """Where one login role finds the database.

        Login roles: supabase_admin, postgres, authenticator, supabase_auth_admin,
        supabase_storage_admin.
        """
        password = quote(self.database_password, safe="")
        return f"postgresql://{role}:{password}@127.0.0.1:{self.postgres_port}/{quote(database)}"


def open_project(
    state_dir: Path,
    port: int | None = None,
    *,
    has_hs256_tokens: bool = False,
    has_anonymous_users: bool = True,
) -> LocalProject:
    """The project kept in a folder, made if there is none, with ports that are free now.

    Runs in flight hold addresses of the simulated Suno, so its port is the one it had before.

    `port` is the gateway's: None keeps the one used before (at first 54321), 0 takes a free one.
    Raises LocalError when the folder cannot be used or its project cannot be read.
    """
    state_dir = state_dir.resolve()
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        kept = _read(state_dir) if (state_dir / PROJECT_FILE).exists() else _new_keys()
        project = replace(
            _with_ports(state_dir, kept, port),
            has_hs256_tokens=has_hs256_tokens,
            has_anonymous_users=has_anonymous_users,
        )
        _write(project)
    except OSError as error:
        reason = error.strerror or error
        raise LocalError(f"The state folder {state_dir} cannot be used: {reason}.") from error
    return project


def load_project(state_dir: Path) -> LocalProject:
    """The project as another process opened it last, ports included.

    Raises LocalError when it cannot be read.
    """
    state_dir = state_dir.resolve()
    try:
        return LocalProject(state_dir=state_dir, **_read(state_dir))
    except (OSError, TypeError) as error:
        raise LocalError(f"No embedded project is kept in {state_dir}.") from error


def _new_keys() -> dict[str, Any]:
    jwt_secret = new_secret()
    return {
        "port": GATEWAY_PORT,
        "database_password": new_secret(),
        "jwt_secret": jwt_secret,
        "signing_key": new_signing_key(),
        "anon_key": new_api_key("anon", jwt_secret),
        "service_role_key": new_api_key("service_role", jwt_secret),
    }


def _with_ports(state_dir: Path, kept: dict[str, Any], port: int | None) -> LocalProject:
    drawn = [field.name for field in fields(LocalProject) if field.name.endswith("_port")]
    gateway, *others = choose_free_ports(len(drawn) + 1)
    asked = kept["port"] if port is None else port
    ports = {"port": asked or gateway, **dict(zip(drawn, others, strict=True))}
    for name in SIMULATORS_PORTS:
        before = kept.get(name)
        if before and before not in ports.values() and is_free(before):
            ports[name] = before
    return LocalProject(state_dir=state_dir, **{**kept, **ports})


def _read(state_dir: Path) -> dict[str, Any]:
    path = state_dir / PROJECT_FILE
    try:
        kept = json.loads(path.read_text())
        missing = set(KEPT) - set(kept)
    except ValueError as error:
        raise LocalError(f"{path} is damaged; start again with --fresh.") from error
    if missing:
        raise LocalError(f"{path} lacks {', '.join(sorted(missing))}; start with --fresh.")
    return {name: kept[name] for name in kept if name != "state_dir"}


def _write(project: LocalProject) -> None:
    path = project.state_dir / PROJECT_FILE
    content = {name: value for name, value in asdict(project).items() if name != "state_dir"}
    write_private(path, json.dumps(content, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    beside.replace(path)
