"""Handlers of Auth for users."""

from uuid import UUID

from psycopg.errors import UniqueViolation
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_dev.supabase.auth import passwords, sessions, users
from parcours_dev.supabase.auth.errors import invalid, unprocessable
from parcours_dev.supabase.auth.params import Refresh, SignIn, SignUp, UserChanges, read_params
from parcours_dev.supabase.auth.service import Caller, auth_of, identify
from parcours_dev.supabase.connections import Connection


async def signup(request: Request) -> Response:
    """Add a user and sign them in."""
    params = await read_params(request, SignUp)
    if params.phone:
        raise invalid("Phone signups are disabled", code="phone_provider_disabled")
    if not params.email:
        return await _signup_anonymously(request, params)
    if not params.password:
        raise invalid("Signup requires a valid password")
    passwords.check_password(params.password)
    email = users.normal_email(params.email)
    password_hash = await passwords.hash_password(params.password)
    auth = auth_of(request)
    try:
        async with auth.connections.transaction() as connection:
            known = await users.find_by_email(connection, email)
            if known and known["email_confirmed_at"] is None:
                # As in supabase/auth without confirmation mails: the address is taken as theirs.
                await users.confirm_email(connection, known["id"])
                return await _sign_in(request, connection, known["id"])
            user_id = await users.add_user(
                connection, email=email, password_hash=password_hash, user_metadata=params.data
            )
            claims = {"sub": str(user_id), "email": email, "phone_verified": False}
            await users.merge_metadata(connection, user_id, claims)
            await users.confirm_email(connection, user_id)
            return await _sign_in(request, connection, user_id)
    except UniqueViolation as error:
        raise unprocessable("user_already_exists", "User already registered") from error


async def _signup_anonymously(request: Request, params: SignUp) -> Response:
    if not auth_of(request).project.has_anonymous_users:
        raise unprocessable("anonymous_provider_disabled", "Anonymous sign-ins are disabled")
    async with auth_of(request).connections.transaction() as connection:
        user_id = await users.add_user(connection, user_metadata=params.data)
        return await _sign_in(request, connection, user_id)


async def token(request: Request) -> Response:
    """Open a session with a password, or continue one with its refresh token."""
    match request.query_params.get("grant_type"):
        case "password":
            return await _grant_by_password(request)
        case "refresh_token":
            return await _grant_by_refresh_token(request)
    raise invalid("unsupported_grant_type", code="invalid_credentials")


async def _grant_by_password(request: Request) -> Response:
    params = await read_params(request, SignIn)
    if not params.email:
        raise invalid("missing email or phone")
    auth = auth_of(request)
    async with auth.connections.transaction() as connection:
        user = await users.find_by_email(connection, params.email)
    known = user["encrypted_password"] if user else None
    if user is None or not await passwords.matches(params.password or "", known):
        raise invalid("Invalid login credentials", code="invalid_credentials")
    if user["email_confirmed_at"] is None:
        raise invalid("Email not confirmed", code="email_not_confirmed")
    async with auth.connections.transaction() as connection:
        await sessions.refuse_banned(connection, user["id"], "User is banned")
        return await _sign_in(request, connection, user["id"])


async def _grant_by_refresh_token(request: Request) -> Response:
    params = await read_params(request, Refresh)
    auth = auth_of(request)
    async with auth.connections.transaction() as connection:
        session = await sessions.continue_session(connection, params.refresh_token or "")
        if session:
            return JSONResponse(await auth.grant(connection, session))
    # Only now, so that the end of the session is committed.
    raise sessions.already_used()


async def read_user(request: Request) -> Response:
    """Who the caller is."""
    async with auth_of(request).connections.transaction() as connection:
        caller = await identify(request, connection)
        return JSONResponse(await users.show_user(connection, caller.user_id))


async def update_user(request: Request) -> Response:
    """Change one's own address, password or metadata."""
    params = await read_params(request, UserChanges)
    connections = auth_of(request).connections
    async with connections.transaction() as connection:
        caller = await identify(request, connection)
    password_hash = await _new_password(params, caller)
    email = users.normal_email(params.email) if params.email else None
    try:
        async with connections.transaction() as connection:
            if email and email != caller.user["email"]:
                await users.change_email(connection, caller.user_id, email)
            if password_hash:
                await users.change_password(connection, caller.user_id, password_hash)
                await sessions.end_sessions(connection, caller.user_id, caller.session_id, "others")
            await users.merge_metadata(connection, caller.user_id, params.data or {})
            return JSONResponse(await users.show_user(connection, caller.user_id))
    except UniqueViolation as error:
        message = "A user with this email address has already been registered"
        raise unprocessable("email_exists", message) from error


async def _new_password(params: UserChanges, caller: Caller) -> str | None:
    if not params.password:
        return None
    passwords.check_password(params.password)
    if not (params.email or caller.user["email"]):
        message = "Updating password of an anonymous user without an email or phone is not allowed"
        raise unprocessable("validation_failed", message)
    if await passwords.matches(params.password, caller.user["encrypted_password"]):
        message = "New password should be different from the old password."
        raise unprocessable("same_password", message)
    return await passwords.hash_password(params.password)


async def logout(request: Request) -> Response:
    """End one's sessions: `scope` is global (the default), local or others."""
    asked = request.query_params.get("scope") or "global"
    if (scope := sessions.SCOPES.get(asked)) is None:
        raise invalid(f'Unsupported logout scope "{asked}"')
    async with auth_of(request).connections.transaction() as connection:
        caller = await identify(request, connection)
        await sessions.end_sessions(connection, caller.user_id, caller.session_id, scope)
    return Response(status_code=204)


async def _sign_in(request: Request, connection: Connection, user_id: UUID) -> Response:
    user_agent = request.headers.get("user-agent")
    session = await sessions.open_session(connection, user_id, user_agent)
    return JSONResponse(await auth_of(request).grant(connection, session))
