"""The exam: one list of behaviours, sat through supabase-py and supabase-js.

The embedded Supabase sits it, or with PARCOURS_EXAM=real the project that SUPABASE_URL,
SUPABASE_ANON_KEY and SUPABASE_SERVICE_ROLE_KEY name; that one needs this project's migrations.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.exam import auth, database, storage
from tests.exam.behaviours import BEHAVIOURS
from tests.exam.candidate import Candidate, sitting
from tests.exam.examinee import Examinee, find_examinee
from tests.exam.supabase_js import Result, sit

pytestmark = pytest.mark.anyio

SHOWN_BY_PY: dict[str, Callable[[Candidate], Awaitable[None]]] = {
    name.replace("_", " "): function
    for area in (auth, database, storage)
    for name, function in inspect.getmembers(area, inspect.iscoroutinefunction)
    if function.__module__ == area.__name__ and not name.startswith("_")
}


@pytest.fixture(scope="session")
def examinee(request: pytest.FixtureRequest) -> Examinee:
    return find_examinee(request)


@pytest.fixture(scope="module")
async def candidate(examinee: Examinee, anyio_backend: str) -> AsyncIterator[Candidate]:
    async with sitting(examinee) as candidate:
        yield candidate


@pytest.fixture(scope="module")
def supabase_js_results(examinee: Examinee) -> dict[str, Result]:
    return sit(examinee)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
async def test_supabase_py(behaviour: str, candidate: Candidate) -> None:
    await SHOWN_BY_PY[behaviour](candidate)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_supabase_js(behaviour: str, supabase_js_results: dict[str, Result]) -> None:
    result = supabase_js_results[behaviour]
    if result.outcome == "skipped":
        pytest.skip(result.detail)
    assert result.outcome == "passed", result.detail


def test_both_clients_sit_the_whole_list(supabase_js_results: dict[str, Result]) -> None:
    assert set(supabase_js_results) == set(BEHAVIOURS)
    assert set(SHOWN_BY_PY) == set(BEHAVIOURS)
