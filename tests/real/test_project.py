"""A test asks what a real project has, and is skipped where it has not."""

import pytest
from starlette.responses import JSONResponse

from parcours_dev.supabase.project import LocalProject
from tests.fixtures.relay import Relay
from tests.fixtures.users import sign_up
from tests.real.project import RealProject

SETTINGS, KEY_SET = "/auth/v1/settings", "/.well-known/jwks.json"


@pytest.fixture
def project(stack: LocalProject, relay: Relay) -> RealProject:
    """The embedded project, known as a real one is."""
    return RealProject(relay.url, stack.anon_key, stack.service_role_key)


def test_what_the_project_has_is_tested(project: RealProject, relay: Relay) -> None:
    project.require_anonymous_users()
    project.require_asymmetric_keys()
    assert relay.asked == [("GET", SETTINGS), ("GET", f"/auth/v1{KEY_SET}")]


@pytest.mark.anyio
async def test_nobody_signs_in_anonymously_where_that_is_off(
    project: RealProject, relay: Relay
) -> None:
    relay.broken[SETTINGS] = JSONResponse({"external": {"anonymous_users": False}})
    with pytest.raises(pytest.skip.Exception, match="no anonymous users"):
        await sign_up(project, anonymous=True)
    assert [path for _, path in relay.asked] == [SETTINGS]


def test_no_key_set_is_expected_of_a_project_that_signs_with_a_secret(
    project: RealProject, relay: Relay
) -> None:
    relay.broken[KEY_SET] = JSONResponse({"keys": []})
    with pytest.raises(pytest.skip.Exception, match="asymmetric keys"):
        project.require_asymmetric_keys()
