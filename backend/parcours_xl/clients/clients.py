"""Every client of an outside system, opened together and closed together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from supabase import AsyncClientOptions, acreate_client

from parcours_xl.clients.audio import Audio
from parcours_xl.clients.auth import Auth
from parcours_xl.clients.database import Database
from parcours_xl.clients.downloads import Downloads
from parcours_xl.clients.hosts import TrackHosts
from parcours_xl.clients.operations_queries import OperationsQueries
from parcours_xl.clients.probes import Probes
from parcours_xl.clients.reserve import Reserve
from parcours_xl.clients.rollout import Rollout
from parcours_xl.clients.storage import TrackStorage
from parcours_xl.clients.suno import Suno
from parcours_xl.clients.temporary_files import TemporaryFiles
from parcours_xl.clients.transport import choose_transport
from parcours_xl.clients.users import Users
from parcours_xl.clients.webhook import Webhook
from parcours_xl.settings import Settings

CONNECT_S_MAX, ANSWER_S_MAX = 5, 30


@dataclass(frozen=True, slots=True)
class Clients:
    """Every client of an outside system, connected as configured."""

    database: Database
    queries: OperationsQueries
    rollout: Rollout
    reserve: Reserve
    auth: Auth
    storage: TrackStorage
    downloads: Downloads
    audio: Audio
    temporary_files: TemporaryFiles
    suno: Suno
    hosts: TrackHosts
    webhook: Webhook | None
    probes: Probes
    users: Users


@asynccontextmanager
async def open_clients(settings: Settings) -> AsyncIterator[Clients]:
    """Two pools of connections for the life of the process, shared; headers never are.

    One leads to Supabase, the other everywhere else.
    """
    hosts = TrackHosts(settings.track_host_suffixes, settings.track_hosts_exact)
    timeout = httpx.Timeout(ANSWER_S_MAX, connect=CONNECT_S_MAX)
    tls = httpx.create_ssl_context()  # reading the authorities takes some 50 ms: once
    downloads = Downloads(hosts, tls)
    temporary_files = TemporaryFiles()
    async with (
        httpx.AsyncClient(verify=tls, timeout=timeout, follow_redirects=False) as http,
        httpx.AsyncClient(
            verify=tls,
            timeout=timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as fresh,
        # Every request waits for Supabase several times: its calls take the quicker way.
        httpx.AsyncClient(
            transport=choose_transport(tls), verify=tls, timeout=timeout, follow_redirects=False
        ) as near,
    ):
        service_key = settings.supabase_service_role_key.get_secret_value()
        service = await _connect(settings.supabase_url, service_key, near)
        anyone = await _connect(
            settings.supabase_url, settings.supabase_anon_key.get_secret_value(), near
        )
        secret, webhook = settings.supabase_jwt_secret, settings.alert_webhook_url
        supabase = (settings.rest_url, service_key, near, settings.limits)
        temporary_files.open()
        try:
            yield Clients(
                database=Database(*supabase),
                queries=OperationsQueries(*supabase),
                rollout=Rollout(settings.rest_url, service_key, near),
                reserve=Reserve(*supabase),
                auth=Auth(
                    anyone.auth,
                    near,
                    auth_url=f"{settings.supabase_url}/auth/v1",
                    issuer=settings.issuer,
                    jwt_secret=secret.get_secret_value() if secret else None,
                    service_role_key=service_key,
                ),
                storage=TrackStorage(service.storage),
                downloads=downloads,
                audio=Audio(),
                temporary_files=temporary_files,
                suno=Suno(
                    settings.suno_api_base,
                    settings.suno_api_key.get_secret_value(),
                    settings.suno_model,
                    settings.suno_timeout_s,
                    http,
                    hosts,
                    settings.suno_vendor,
                    submissions=fresh,
                ),
                hosts=hosts,
                webhook=Webhook(webhook.get_secret_value(), http) if webhook else None,
                probes=Probes(http, settings.supabase_url),
                users=Users(settings.rest_url, service_key, http, service.auth),
            )
        finally:
            temporary_files.close()
            await downloads.aclose()


async def _connect(url: str, key: str, http: httpx.AsyncClient):  # type: ignore[no-untyped-def]
    # A session or a timer in a shared client would turn the service into one of its users.
    options = AsyncClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
    return await acreate_client(url, key, options)
