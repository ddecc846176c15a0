"""The one origin of the embedded project, as Kong is for Supabase."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp

from parcours_dev.supabase.api_keys import ApiKeys
from parcours_dev.supabase.auth.app import create_auth
from parcours_dev.supabase.auth.service import Auth
from parcours_dev.supabase.connections import Connections
from parcours_dev.supabase.keyring import Keyring
from parcours_dev.supabase.project import LocalProject
from parcours_dev.supabase.proxy import Proxy, create_client
from parcours_dev.supabase.storage.app import create_storage
from parcours_dev.supabase.storage.files import Files
from parcours_dev.supabase.storage.service import Storage

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# What a page of another origin may read besides the body; ranges make audio seekable.
EXPOSED_HEADERS = (
    *("content-length", "content-type", "content-encoding", "content-disposition", "date"),
    *("accept-ranges", "content-range", "etag", "last-modified", "content-location", "location"),
    *("range-unit", "preference-applied", "link", "x-total-count"),
    *("x-sb-error-code", "x-supabase-api-version"),
)
PREFLIGHT_S = 3600


def create_gateway(project: LocalProject) -> Starlette:
    """The gateway; Auth and Storage run inside it, the others are asked over HTTP.

    Whatever is not Supabase's goes to the service, `/functions/v1/` included, with its own CORS.
    """
    client, keyring = create_client(), Keyring(project)
    auth_connections = Connections(project.database_url("supabase_auth_admin"))
    storage_connections = Connections(project.database_url("supabase_storage_admin"))
    files = Files(project.storage_dir)
    auth = create_auth(Auth(project, keyring, auth_connections))
    rest = Proxy(client, project.rest_url, prefix="/rest/v1")
    storage = create_storage(Storage(keyring, storage_connections, files))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(client)
            stack.callback(files.close)
            stack.push_async_callback(auth_connections.close)
            stack.push_async_callback(storage_connections.close)
            yield

    return Starlette(
        routes=[
            Mount("/auth/v1", _open_to_pages(ApiKeys(auth, project))),
            Mount("/rest/v1", _open_to_pages(ApiKeys(rest, project))),
            Mount("/storage/v1", _open_to_pages(storage)),
            Mount("", Proxy(client, project.functions_url)),
        ],
        lifespan=lifespan,
    )


def _open_to_pages(app: ASGIApp) -> ASGIApp:
    # With `*`, the headers a preflight asks for are echoed.
    return CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=METHODS,
        allow_headers=["*"],
        expose_headers=EXPOSED_HEADERS,
        max_age=PREFLIGHT_S,
    )
