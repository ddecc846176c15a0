"""What clients send to Auth. A null is as good as nothing, as in supabase/auth."""

from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from parcours_dev.supabase.auth.errors import invalid


class SignUp(BaseModel):
    """A new user; without address and phone an anonymous one."""

    email: str | None = None
    phone: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None


class SignIn(BaseModel):
    """What a user signs in with."""

    email: str | None = None
    phone: str | None = None
    password: str | None = None


class Refresh(BaseModel):
    """What a session is continued with."""

    refresh_token: str | None = None


class UserChanges(BaseModel):
    """What users may change of themselves."""

    email: str | None = None
    phone: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None


class NewUser(BaseModel):
    """A user made by the service key."""

    id: UUID | None = None
    email: str | None = None
    phone: str | None = None
    password: str | None = None
    email_confirm: bool = False
    user_metadata: dict[str, Any] | None = None
    app_metadata: dict[str, Any] | None = None


class AdminChanges(BaseModel):
    """What the service key may change of a user. ban_duration: as in Go ("24h"), or "none"."""

    ban_duration: str | None = None
    user_metadata: dict[str, Any] | None = None


class Deletion(BaseModel):
    """How a user is to be deleted."""

    should_soft_delete: bool = False


Params = TypeVar("Params", bound=BaseModel)


async def read_params(request: Request, model: type[Params], *, optional: bool = False) -> Params:
    """The body of a request; raises AuthError when it is not what it should be.

    optional: no body at all is as good as an empty object.
    """
    body = await request.body()
    if optional and not body:
        return model()
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        message = f"Could not parse request body as JSON: {reason}"
        raise invalid(message, code="bad_json") from error
