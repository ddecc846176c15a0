"""What every process works with outside itself, opened together and closed together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from supabase import AsyncClientOptions, acreate_client

from parcours_xl.adapters.audio import Audio
from parcours_xl.adapters.auth import Auth
from parcours_xl.adapters.database import Database
from parcours_xl.adapters.downloads import Downloads
from parcours_xl.adapters.hosts import TrackHosts
from parcours_xl.adapters.oversight import Oversight
from parcours_xl.adapters.people import People
from parcours_xl.adapters.probes import Probes
from parcours_xl.adapters.rollout import Rollout
from parcours_xl.adapters.suno import Suno
from parcours_xl.adapters.temporary_files import TemporaryFiles
from parcours_xl.adapters.tracks import Tracks
from parcours_xl.adapters.transport import choose_transport
from parcours_xl.adapters.webhook import Webhook
from parcours_xl.settings import Settings

CONNECT_S_MAX, ANSWER_S_MAX = 5, 30


@dataclass(frozen=True, slots=True)
class Outside:
    """The adapters that services work with, each already connected as configured."""

    database: Database
    oversight: Oversight
    rollout: Rollout
    auth: Auth
    tracks: Tracks
    downloads: Downloads
    audio: Audio
    temporary_files: TemporaryFiles
    suno: Suno
    hosts: TrackHosts
    webhook: Webhook | None
    probes: Probes
    people: People


@asynccontextmanager
async def open_outside(settings: Settings) -> AsyncIterator[Outside]:
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
            yield Outside(
                database=Database(*supabase),
                oversight=Oversight(*supabase),
                rollout=Rollout(settings.rest_url, service_key, near),
                auth=Auth(
                    anyone.auth,
                    near,
                    auth_url=f"{settings.supabase_url}/auth/v1",
                    issuer=settings.issuer,
                    jwt_secret=secret.get_secret_value() if secret else None,
                    service_role_key=service_key,
                ),
                tracks=Tracks(service.storage),
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
                people=People(settings.rest_url, service_key, http, service.auth),
            )
        finally:
            temporary_files.close()
            await downloads.aclose()


async def _connect(url: str, key: str, http: httpx.AsyncClient):  # type: ignore[no-untyped-def]
    # A session or a timer in a shared client would turn the service into one of its users.
    options = AsyncClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
    return await acreate_client(url, key, options)
