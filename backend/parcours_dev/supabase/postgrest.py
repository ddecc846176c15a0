"""A real PostgREST in front of the project's database."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from parcours_dev.processes import Server, running_server, wait_until_ready
from parcours_dev.supabase.binaries import Binaries
from parcours_dev.supabase.project import LocalProject, write_private

ROWS_MAX = 1000
KEYS_FILE = "postgrest-keys.json"


@contextmanager
def running_postgrest(project: LocalProject, binaries: Binaries) -> Iterator[Server]:
    """PostgREST, its schema cache filled, until the end of the block.

    Set up as hosted Supabase does. Raises LocalError when it does not start.
    """
    keys = project.state_dir / KEYS_FILE
    write_private(keys, json.dumps(project.jwks_verification))
    settings = {
        "PGRST_DB_URI": project.database_url("authenticator"),
        "PGRST_DB_SCHEMAS": "public",
        "PGRST_DB_EXTRA_SEARCH_PATH": "public,extensions",
        "PGRST_DB_ANON_ROLE": "anon",
        "PGRST_DB_MAX_ROWS": str(ROWS_MAX),
        "PGRST_JWT_SECRET": f"@{keys}",
        "PGRST_SERVER_HOST": "127.0.0.1",
        "PGRST_SERVER_PORT": str(project.postgrest_port),
        "PGRST_ADMIN_SERVER_PORT": str(project.postgrest_admin_port),
        # Links in its OpenAPI document lead through the gateway.
        "PGRST_OPENAPI_SERVER_PROXY_URI": f"{project.url}/rest/v1",
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with running_server(
        "PostgREST",
        [binaries.postgrest],
        log=project.logs_dir / "postgrest.log",
        environment=ours | settings,
    ) as server:
        ready = f"http://127.0.0.1:{project.postgrest_admin_port}/ready"
        wait_until_ready(server, lambda: answers(ready))
        yield server


def answers(url: str) -> bool:
    """Whether a URL answers a GET with success now."""
    try:
        # Asked many times a second while a server starts, and never over TLS: reading the
        # authorities for it would take longer than all the rest.
        return httpx.get(url, timeout=2, trust_env=False, verify=False).is_success  # noqa: S501
    except httpx.HTTPError:
        return False
