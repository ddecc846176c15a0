"""Handlers of Auth for the service key only."""

import re
from uuid import UUID

from psycopg.errors import UniqueViolation
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_dev.supabase.auth import passwords, sessions, users
from parcours_dev.supabase.auth.errors import AuthError, invalid, unprocessable
from parcours_dev.supabase.auth.params import AdminChanges, Deletion, NewUser, read_params
from parcours_dev.supabase.auth.service import auth_of, require_admin
from parcours_dev.supabase.connections import Connection


async def create_user(request: Request) -> Response:
    """Add a user, who can sign in once the address is confirmed."""
    require_admin(request)
    params = await read_params(request, NewUser)
    if not params.email:
        raise invalid("Cannot create a user without either an email or phone")
    email = users.normal_email(params.email)
    password_hash = None
    if params.password:
        password_hash = await passwords.hash_password(params.password)
    try:
        async with auth_of(request).connections.transaction() as connection:
            user_id = await users.add_user(
                connection,
                user_id=params.id,
                email=email,
                password_hash=password_hash,
                app_metadata=params.app_metadata,
                user_metadata=params.user_metadata,
            )
            if params.email_confirm:
                await users.confirm_email(connection, user_id)
            return JSONResponse(await users.show_user(connection, user_id))
    except UniqueViolation as error:
        message = "A user with this email address has already been registered"
        raise unprocessable("email_exists", message) from error


async def get_user(request: Request) -> Response:
    """One user."""
    require_admin(request)
    async with auth_of(request).connections.transaction() as connection:
        user_id = await _find(request, connection)
        return JSONResponse(await users.show_user(connection, user_id))


async def delete_user(request: Request) -> Response:
    """Delete a user with all their sessions; softly, a row without personal data is kept."""
    require_admin(request)
    params = await read_params(request, Deletion, optional=True)
    async with auth_of(request).connections.transaction() as connection:
        user_id = await _find(request, connection)
        if params.should_soft_delete:
            await users.soft_delete(connection, user_id)
            await sessions.end_sessions(connection, user_id, None, "global")
        else:
            await connection.execute("delete from auth.users where id = %s", (user_id,))
    return JSONResponse({})


async def update_user(request: Request) -> Response:
    """Change a user's metadata, or ban them for a time."""
    require_admin(request)
    params = await read_params(request, AdminChanges)
    async with auth_of(request).connections.transaction() as connection:
        user_id = await _find(request, connection)
        if params.ban_duration is not None:
            await users.ban(connection, user_id, _read_hours(params.ban_duration))
        await users.merge_metadata(connection, user_id, params.user_metadata or {})
        return JSONResponse(await users.show_user(connection, user_id))


def _read_hours(duration: str) -> int:
    if duration == "none":
        return 0
    if not re.fullmatch(r"[0-9]{1,7}h", duration):
        message = "invalid format for ban duration: the embedded Auth takes hours only"
        raise invalid(message, code="validation_failed")
    return int(duration[:-1])


async def _find(request: Request, connection: Connection) -> UUID:
    try:
        user_id = UUID(request.path_params["user_id"])
    except ValueError as error:
        raise AuthError(404, "validation_failed", "user_id must be an UUID") from error
    if await users.find_by_id(connection, user_id) is None:
        raise AuthError(404, "user_not_found", "User not found")
    return user_id
