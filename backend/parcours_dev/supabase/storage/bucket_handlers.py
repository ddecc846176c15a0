"""Handlers of Storage for buckets."""

from psycopg.errors import ForeignKeyViolation, UniqueViolation
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from parcours_dev.supabase.storage import buckets, objects
from parcours_dev.supabase.storage.access import SERVICE, act_as, identify
from parcours_dev.supabase.storage.errors import StorageError, already_exists, no_such_bucket
from parcours_dev.supabase.storage.params import NewBucket, read_params
from parcours_dev.supabase.storage.service import storage_of


async def list_buckets(request: Request) -> Response:
    """Every bucket that the caller may see."""
    storage = storage_of(request)
    async with storage.acting_as(identify(request, storage.keyring)) as connection:
        rows = await buckets.list_buckets(connection)
    return JSONResponse([buckets.show_bucket(row) for row in rows])


async def get_bucket(request: Request) -> Response:
    """One bucket."""
    storage = storage_of(request)
    async with storage.acting_as(identify(request, storage.keyring)) as connection:
        row = await buckets.find_bucket(connection, request.path_params["bucket"])
    return JSONResponse(buckets.show_bucket(row))


async def create_bucket(request: Request) -> Response:
    """Make a bucket."""
    storage = storage_of(request)
    caller = identify(request, storage.keyring)
    asked = await read_params(request, NewBucket)
    bucket = asked.model_dump() | {"id": asked.id or asked.name, "owner_id": caller.user_id}
    try:
        async with storage.acting_as(caller) as connection:
            await buckets.add_bucket(connection, bucket)
    except UniqueViolation as error:
        raise already_exists("BucketAlreadyExists") from error
    return JSONResponse({"name": asked.name})


async def empty_bucket(request: Request) -> Response:
    """Delete every object of a bucket, which the caller must be able to see."""
    storage = storage_of(request)
    caller, bucket_id = identify(request, storage.keyring), request.path_params["bucket"]
    async with storage.acting_as(caller) as connection:
        await buckets.find_bucket(connection, bucket_id)
        await act_as(connection, SERVICE)
        names = await objects.list_names(connection, bucket_id)
    await storage.delete(SERVICE, bucket_id, names)
    message = "Empty bucket has been queued. Completion may take up to an hour."
    return JSONResponse({"message": message})


async def delete_bucket(request: Request) -> Response:
    """Delete a bucket that is empty."""
    storage = storage_of(request)
    caller, bucket_id = identify(request, storage.keyring), request.path_params["bucket"]
    try:
        async with storage.acting_as(SERVICE) as connection:
            await buckets.find_bucket(connection, bucket_id)
            await act_as(connection, caller)
            if not await buckets.delete_bucket(connection, bucket_id):
                raise no_such_bucket()
    except ForeignKeyViolation as error:
        message = "The bucket you tried to delete is not empty"
        raise StorageError(409, "ResourceNotEmpty", message) from error
    return JSONResponse({"message": "Successfully deleted"})
