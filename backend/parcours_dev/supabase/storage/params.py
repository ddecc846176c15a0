"""What clients send to Storage, in its own spelling."""

from typing import Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request

from parcours_dev.supabase.storage.errors import invalid_request


class Signing(BaseModel):
    """For how many seconds a URL is to be good; storage3 sends the number as a text."""

    expiresIn: int = Field(ge=1, le=10**10)  # noqa: N815


class SigningMany(Signing):
    """Which objects to sign."""

    paths: list[str] = Field(max_length=1000)


class Order(BaseModel):
    """How to sort a listing."""

    column: Literal["name", "updated_at", "created_at", "last_accessed_at"] = "name"
    order: Literal["asc", "desc"] = "asc"


class Folder(BaseModel):
    """Which folder to list."""

    prefix: str
    search: str | None = None
    limit: int = Field(default=100, ge=1)
    offset: int = Field(default=0, ge=0)
    sortBy: Order = Order()  # noqa: N815


class Deletion(BaseModel):
    """Which objects to delete, by their full names."""

    prefixes: list[str] = Field(min_length=1, max_length=1000)


class NewBucket(BaseModel):
    """A bucket to be made."""

    id: str | None = None
    name: str = Field(min_length=1, max_length=100, pattern=r"^[\w!.*'() &$@=;:+,?-]*$")
    public: bool = False
    file_size_limit: int | None = Field(default=None, ge=0)
    allowed_mime_types: list[str] | None = None


Params = TypeVar("Params", bound=BaseModel)


async def read_params(request: Request, model: type[Params]) -> Params:
    """The body of a request; raises StorageError when it is not what it should be."""
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(["body", *(str(step) for step in first["loc"])])
        raise invalid_request(f"{place}: {first['msg']}") from error
