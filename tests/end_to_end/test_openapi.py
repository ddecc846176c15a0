"""Every function answers as /openapi.json says, whatever it is sent."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.generation import GenerationMode

from parcours_xl.api.routes import FUNCTION_ROUTES
from parcours_xl.clients.api_client import ApiClient
from tests.end_to_end.conftest import ANSWERED
from tests.end_to_end.deployment import Deployment

# 422: an Idempotency-Key that was used with another request, which no schema can know.
ACCEPTED = ["2xx", "401", "403", "404", "409", "422", "429", "502"]

# `make fuzz` asks for many more.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))


@pytest.fixture
def api(deployment: Deployment) -> schemathesis.BaseSchema:
    checks = {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}
    config = schemathesis.Config.from_dict({"checks": checks})
    return schemathesis.openapi.from_url(f"{deployment.project.url}/openapi.json", config=config)


@pytest.fixture(scope="module")
def token(session_deployment: Deployment) -> str:
    """A signed-in user's access token."""

    async def sign_up() -> str:
        project = session_deployment.project
        listener = await ApiClient.connect(project.url, project.anon_key)
        await listener.sign_up()
        return await listener.access_token()

    return asyncio.run(sign_up())


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", [endpoint.name for endpoint in FUNCTION_ROUTES])
def test_a_function_answers_as_described(
    api: schemathesis.BaseSchema,
    token: str,
    name: str,
    mode: GenerationMode,
    record_property: Callable[[str, object], None],
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    operation = api[f"/{name}"]["POST"]
    answered: dict[int, int] = {}
    record_property(ANSWERED, answered)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: schemathesis.Case[Any]) -> None:
        response = case.call(headers=headers, timeout=30)
        status = response.status_code
        answered[status] = answered.get(status, 0) + 1
        assert status < 500 or status == 502, "502 is Suno's own"
        case.validate_response(response, headers=headers)

    answers()
