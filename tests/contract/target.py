"""The Supabase project under test: the embedded one, or a real one."""

from dataclasses import dataclass

import httpx
import pytest

from parcours_dev.supabase.project import LocalProject
from tests.real.project import RealProject, is_chosen


@dataclass(frozen=True)
class Target:
    """Where a project is, its keys, and what it lets people do."""

    url: str
    anon_key: str
    service_role_key: str
    is_real: bool
    lets_sign_up: bool
    lets_stay_anonymous: bool


def find_target(request: pytest.FixtureRequest) -> Target:
    """A real project when PARCOURS_CONTRACT=real names one, else the embedded stack."""
    stack: LocalProject | RealProject = request.getfixturevalue("stack")
    return _ask(stack.url, stack.anon_key, stack.service_role_key, is_real=is_chosen())


def _ask(url: str, anon_key: str, service_role_key: str, *, is_real: bool) -> Target:
    answer = httpx.get(f"{url}/auth/v1/settings", headers={"apikey": anon_key}, trust_env=False)
    settings = answer.raise_for_status().json()
    return Target(
        url,
        anon_key,
        service_role_key,
        is_real=is_real,
        # Where mails are sent, nobody here would read them.
        lets_sign_up=settings["mailer_autoconfirm"] and not settings["disable_signup"],
        lets_stay_anonymous=settings["external"]["anonymous_users"],
    )
