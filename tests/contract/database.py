"""PostgREST through supabase-py. A function's name is the behaviour it shows."""

from uuid import uuid4

import pytest
from postgrest.exceptions import APIError

from tests.contract.context import ContractContext


def refused(code: str) -> pytest.RaisesExc[APIError]:
    """Expects a PostgREST error with this code."""
    return pytest.raises(APIError, check=lambda error: error.code == code)


async def anon_is_refused_what_is_not_granted(context: ContractContext) -> None:
    client = await context.client()
    with refused("42501"):
        await client.table("parcours_runs").select("*").execute()


async def users_see_their_own_rows_only(context: ContractContext) -> None:
    (ada, _ada), (eve, _eve) = await context.signed_in(), await context.signed_in()
    run_id = await context.run_of(_ada)
    assert [run["id"] for run in (await ada.table("parcours_runs").select("*").execute()).data] == [
        run_id
    ]
    assert (await eve.table("parcours_runs").select("*").execute()).data == []


async def users_change_granted_columns_only(context: ContractContext) -> None:
    client, person = await context.signed_in()
    run_id = await context.run_of(person)
    runs = client.table("parcours_runs")
    changed = await runs.update({"suds_start": 7}).eq("id", run_id).execute()
    assert changed.data[0]["suds_start"] == 7
    with refused("42501"):
        await client.table("parcours_runs").update({"status": "ready"}).eq("id", run_id).execute()


async def the_service_key_sees_every_row(context: ContractContext) -> None:
    run_id = await context.run_of(await context.person())
    found = context.service.table("parcours_runs").select("id").eq("id", run_id)
    assert (await found.execute()).data == [{"id": run_id}]


async def one_row_that_is_not_there_is_an_error(context: ContractContext) -> None:
    missing = context.service.table("parcours_runs").select("*").eq("id", str(uuid4()))
    with refused("PGRST116"):
        await missing.single().execute()


async def an_unknown_function_is_an_error(context: ContractContext) -> None:
    with refused("PGRST202"):
        await context.service.rpc("no_such_function", {}).execute()


async def a_function_refuses_in_its_own_words(context: ContractContext) -> None:
    with refused("PT404"):
        await context.service.rpc("cancel_run", {"p_run_id": str(uuid4())}).execute()


async def a_function_that_is_not_granted_is_refused(context: ContractContext) -> None:
    client, _ = await context.signed_in_before()
    with refused("42501"):
        await client.rpc("start_run", {"p_run_id": str(uuid4()), "p_limits_id": 0}).execute()


async def a_foreign_api_key_is_refused(context: ContractContext) -> None:
    foreign = context.target.anon_key[:-4] + "AAAA"
    client = await context.client(foreign)
    with pytest.raises(APIError):
        await client.table("parcours_runs").select("*").execute()
