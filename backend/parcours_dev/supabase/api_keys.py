"""The check that Kong makes before Auth and REST: who calls them has one of the project's keys."""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from parcours_dev.supabase.project import LocalProject

# For everybody, as on a hosted project; a health check has no key either.
OPEN_PATHS = ("/auth/v1/.well-known/jwks.json", "/auth/v1/health")


class ApiKeys:
    """Lets a request pass that has the `anon` or the `service_role` key as its `apikey`."""

    def __init__(self, app: ASGIApp, project: LocalProject) -> None:
        self._app = app
        self._keys = [project.anon_key.encode(), project.service_role_key.encode()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            refusal = self._reject(Request(scope))
        await (refusal or self._app)(scope, receive, send)

    def _reject(self, request: Request) -> JSONResponse | None:
        key = request.headers.get("apikey") or request.query_params.get("apikey")
        if not key:
            message = "No API key found in request"
            hint = "No `apikey` request header or url param was found."
        elif not any(hmac.compare_digest(key.encode(), known) for known in self._keys):
            message = "Invalid API key"
            hint = "Double check your Supabase `anon` or `service_role` API key."
        else:
            return None
        return JSONResponse({"message": message, "hint": hint}, 401)
