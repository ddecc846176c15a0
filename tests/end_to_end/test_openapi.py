"""Every function answers as /openapi.json says, whatever it is sent."""

import asyncio
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import ignored_auth
from schemathesis.generation import GenerationMode

from parcours_xl.api.routes import FUNCTION_ROUTES
from parcours_xl.clients.api_client import ApiClient
from tests.end_to_end.conftest import ANSWERED
from tests.end_to_end.deployment import Deployment

# 422: an Idempotency-Key that was used with another request, which no schema can know.
ACCEPTED = ["2xx", "401", "403", "404", "409", "422", "429", "502"]

# `make fuzz` asks for many more, in parts: each has a user and a search of its own, so that neither
# a user's runs nor what Hypothesis remembers slows the last request down.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
PART_EXAMPLES_MAX = 2_500
PARTS = math.ceil(EXAMPLES / PART_EXAMPLES_MAX)

# Schemathesis repeats what was accepted without a token and with a wrong one. A function checks the
# token before it reads the request, so some repetitions prove as much as all of them.
AUTH_PROBES = 20


@pytest.fixture
def api(deployment: Deployment) -> schemathesis.BaseSchema:
    checks = {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}
    config = schemathesis.Config.from_dict({"checks": checks})
    return schemathesis.openapi.from_url(f"{deployment.project.url}/openapi.json", config=config)


@pytest.fixture
def token(deployment: Deployment) -> str:
    """A new signed-in user's access token."""

    async def sign_up() -> str:
        project = deployment.project
        listener = await ApiClient.connect(project.url, project.anon_key)
        await listener.sign_up()
        return await listener.access_token()

    return asyncio.run(sign_up())


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """One connection for all requests of a test."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", [endpoint.name for endpoint in FUNCTION_ROUTES])
def test_a_function_answers_as_described(
    api: schemathesis.BaseSchema,
    token: str,
    session: requests.Session,
    name: str,
    part: int,
    mode: GenerationMode,
    record_property: Callable[[str, object], None],
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    operation = api[f"/{name}"]["POST"]
    answered: dict[int, int] = {}
    record_property(ANSWERED, answered)

    @settings(
        max_examples=math.ceil(EXAMPLES / PARTS),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        database=None,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case: schemathesis.Case[Any]) -> None:
        response = case.call(headers=headers, timeout=30, session=session)
        status = response.status_code
        answered[status] = answered.get(status, 0) + 1
        assert status < 500 or status == 502, "502 is Suno's own"
        is_probed = answered.get(200, 0) <= AUTH_PROBES
        case.validate_response(
            response, headers=headers, excluded_checks=[] if is_probed else [ignored_auth]
        )

    answers()
