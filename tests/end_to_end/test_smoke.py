"""`parcours smoke`: a deployment is tried as a listener would, and judged."""

import pytest

from tests.end_to_end.deployment import Deployment, running_workers
from tests.fixtures.operator import Operator
from tests.fixtures.users import sign_up


@pytest.fixture
def operator(deployment: Deployment) -> Operator:
    return Operator({**deployment.environment, "SUPABASE_ANON_KEY": deployment.project.anon_key})


def test_a_deployment_that_works_passes_and_keeps_nothing(
    operator: Operator, deployment: Deployment
) -> None:
    with running_workers(deployment):
        told = operator.run("smoke", "--json", "--timeout", 120)
    assert told.status == 0, told.err
    verdict = told.json
    assert (verdict["passed"], verdict["failures"]) == (True, [])
    tracks = verdict["journey"]["tracks"]
    assert 3 <= len(tracks) <= 4
    assert {track["range_status"] for track in tracks} == {206}
    assert deployment.query("select true from parcours_runs where id = %s", verdict["run_id"]) == []
    assert deployment.query("select true from auth.users where email like 'smoke-%%'") == []


def test_a_deployment_without_a_worker_fails_and_its_run_is_kept(
    operator: Operator, deployment: Deployment
) -> None:
    told = operator.run("smoke", "--timeout", 10)
    assert told.status == 1
    assert "the run was not ready within 10 s" in told.out
    [run] = deployment.query("select id from parcours_runs order by created_at desc limit 1")
    assert f"parcours logs {run['id']}" in told.out


@pytest.mark.anyio
async def test_a_user_s_own_token_is_enough(operator: Operator, deployment: Deployment) -> None:
    person = await sign_up(deployment.project)
    told = operator.run("smoke", "--json", "--timeout", 10, SMOKE_JWT=person.token)
    [run] = deployment.query("select user_id from parcours_runs where id = %s", told.json["run_id"])
    assert run["user_id"] == person.id


def test_a_wrong_password_is_no_verdict(operator: Operator) -> None:
    told = operator.run("smoke", "--email", "nobody@example.org", SMOKE_PASSWORD="wrong")
    assert told.status == 4
    assert told.err.startswith("parcours: Auth does not sign this listener in")


def test_an_unknown_preset_is_a_failure_in_words(operator: Operator) -> None:
    told = operator.run("smoke", "--preset", "joy")
    assert told.status == 1
    assert "the service answered 400: unknown preset" in told.out.replace("\n", " ")


def test_two_users_at_once_are_a_misuse(operator: Operator) -> None:
    told = operator.run("smoke", "--email", "a@example.org", SMOKE_JWT="x.y.z")
    assert told.status == 2
