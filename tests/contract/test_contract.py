"""The contract tests: one list of behaviours, shown through supabase-py and supabase-js.

The embedded Supabase passes them, or with PARCOURS_CONTRACT=real the project that SUPABASE_URL,
SUPABASE_ANON_KEY and SUPABASE_SERVICE_ROLE_KEY name; that one needs this project's migrations.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.contract import auth, database, storage
from tests.contract.behaviours import BEHAVIOURS
from tests.contract.context import ContractContext, open_context
from tests.contract.supabase_js import Result, run_suite
from tests.contract.target import Target, find_target

pytestmark = pytest.mark.anyio

SHOWN_BY_PY: dict[str, Callable[[ContractContext], Awaitable[None]]] = {
    name.replace("_", " "): function
    for area in (auth, database, storage)
    for name, function in inspect.getmembers(area, inspect.iscoroutinefunction)
    if function.__module__ == area.__name__ and not name.startswith("_")
}


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    return find_target(request)


@pytest.fixture(scope="module")
async def context(target: Target, anyio_backend: str) -> AsyncIterator[ContractContext]:
    async with open_context(target) as context:
        yield context


@pytest.fixture(scope="module")
def supabase_js_results(target: Target) -> dict[str, Result]:
    return run_suite(target)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_supabase_py(behaviour: str, context: ContractContext) -> None:
    await SHOWN_BY_PY[behaviour](context)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_supabase_js(behaviour: str, supabase_js_results: dict[str, Result]) -> None:
    result = supabase_js_results[behaviour]
    if result.outcome == "skipped":
        pytest.skip(result.detail)
    assert result.outcome == "passed", result.detail


def test_both_clients_run_the_whole_suite(supabase_js_results: dict[str, Result]) -> None:
    assert set(supabase_js_results) == set(BEHAVIOURS)
    assert set(SHOWN_BY_PY) == set(BEHAVIOURS)
