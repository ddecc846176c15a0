"""What the tests of operators' work share."""

import pytest

from parcours_dev.supabase.project import LocalProject
from tests.fixtures.operator import Operator
from tests.fixtures.vendors import Vendor


@pytest.fixture
def operator(stack: LocalProject, suno: Vendor, openai: Vendor) -> Operator:
    """Somebody with the settings of a deployment on the session's stack and simulators."""
    return Operator(
        {
            "SUPABASE_URL": stack.url,
            "SUPABASE_ANON_KEY": stack.anon_key,
            "SUPABASE_SERVICE_ROLE_KEY": stack.service_role_key,
            "POSTGREST_URL": stack.rest_url,
            "SUNO_API_KEY": "any",
            "SUNO_API_BASE": suno.url,
            "OPENAI_API_KEY": "any",
            "OPENAI_BASE_URL": f"{openai.url}/v1",
            "CALLBACK_BASE": f"{stack.url}/functions/v1/parcours-xl-callback",
            "TRACK_HOSTS_EXACT": suno.netloc,
        }
    )
