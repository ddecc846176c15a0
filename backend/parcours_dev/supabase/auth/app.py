"""The stand-in for Auth as an application, to be mounted at /auth/v1."""

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parcours_dev.supabase.auth import admin, handlers
from parcours_dev.supabase.auth.errors import AuthError, render_database_error, render_error
from parcours_dev.supabase.auth.service import Auth, auth_of

BODY_BYTES_MAX = 1024 * 1024
JWKS_CACHE_S = 600


def create_auth(auth: Auth) -> Starlette:
    """Every endpoint there is; supabase/auth has more."""
    app = Starlette(
        routes=[
            Route("/signup", handlers.signup, methods=["POST"]),
            Route("/token", handlers.token, methods=["POST"]),
            Route("/user", handlers.read_user, methods=["GET"]),
            Route("/user", handlers.update_user, methods=["PUT"]),
            Route("/logout", handlers.logout, methods=["POST"]),
            Route("/admin/users", admin.create_user, methods=["POST"]),
            Route("/admin/users/{user_id}", admin.get_user, methods=["GET"]),
            Route("/admin/users/{user_id}", admin.update_user, methods=["PUT"]),
            Route("/admin/users/{user_id}", admin.delete_user, methods=["DELETE"]),
            Route("/.well-known/jwks.json", jwks),
            Route("/settings", settings),
            Route("/health", health),
        ],
        exception_handlers={AuthError: render_error, psycopg.Error: render_database_error},
        max_body_size=BODY_BYTES_MAX,
    )
    app.state.auth = auth
    return app


async def jwks(request: Request) -> Response:
    """The public keys that access tokens are verified with."""
    headers = {"cache-control": f"public, max-age={JWKS_CACHE_S}"}
    return JSONResponse(auth_of(request).project.jwks_public, headers=headers)


async def settings(request: Request) -> Response:
    """What this Auth lets users do."""
    anonymous_users = auth_of(request).project.has_anonymous_users
    return JSONResponse(
        {
            "external": {"anonymous_users": anonymous_users, "email": True, "phone": False},
            "disable_signup": False,
            "mailer_autoconfirm": True,
            "phone_autoconfirm": False,
            "sms_provider": "",
            "saml_enabled": False,
            "passkeys_enabled": False,
        }
    )


async def health(_: Request) -> Response:
    """That this Auth answers."""
    description = "The embedded stand-in for Supabase Auth"
    return JSONResponse({"version": "embedded", "name": "GoTrue", "description": description})
