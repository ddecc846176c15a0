"""The page behind the reverse proxy of docs/deployment.md, where the project has no functions."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from parcours_dev.deployment import (
    listens,
    running_deployment,
    supabase_environment,
    temporary_state,
    vendor_environment,
)
from parcours_dev.player_build import build_player
from parcours_dev.ports import choose_free_ports
from parcours_dev.processes import running_server, wait_until_ready
from parcours_dev.supabase.project import LocalProject
from parcours_dev.supabase.stack import running_stack
from tests.browser.deployment import SHORT
from tests.browser.words import WORDS

DEPLOYMENT = Path(__file__).parents[2] / "docs" / "deployment.md"


@pytest.fixture(scope="module")
def caddy() -> str:
    """Debian's Caddy. Without it this test is skipped, but never in CI."""
    found = shutil.which("caddy")
    if found is None:
        reason = "Caddy is not installed (Debian: apt-get install caddy)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def running_proxy(caddy: str, project: LocalProject, service_url: str, port: int) -> Iterator[str]:
    """The documented configuration, with the addresses of this machine."""
    documented = re.search(r"```\n(\(project\) \{.*?)```", DEPLOYMENT.read_text(), re.S)
    assert documented, "docs/deployment.md has the configuration"
    url = f"http://127.0.0.1:{port}"
    configuration = (
        documented[1]
        .replace("parcours.example.org", url)
        .replace("https://<project>.supabase.co", project.url)
        .replace("127.0.0.1:8000", urlsplit(service_url).netloc)
    )
    file = project.state_dir / "Caddyfile"
    file.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + configuration)
    with running_server(
        "Caddy",
        [caddy, "run", "--adapter", "caddyfile", "--config", str(file)],
        log=project.logs_dir / "caddy.log",
        environment={**os.environ, "HOME": str(project.state_dir)},
    ) as server:
        wait_until_ready(server, lambda: listens(port))
        yield url


@pytest.fixture(scope="module")
def page_url(caddy: str) -> Iterator[str]:
    build_player()
    with temporary_state("parcours-proxy-") as folder, running_stack(folder) as project:
        port, service_port = choose_free_ports(2)
        # Not where the project's gateway would look for it: the project has no functions.
        elsewhere = replace(project, functions_port=service_port)
        environment = (
            supabase_environment(project)
            | vendor_environment(project)
            | SHORT.environment()
            | {"CALLBACK_BASE": f"http://127.0.0.1:{port}/functions/v1/parcours-xl-callback"}
        )
        with (
            running_deployment(elsewhere, SHORT, environment),
            running_proxy(caddy, project, elsewhere.functions_url, port) as url,
        ):
            yield url


def test_music_is_heard_behind_the_documented_proxy(browser: Browser, page_url: str) -> None:
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    called: list[str] = []
    page.on("request", lambda request: called.append(request.url))
    page.goto(page_url)
    page.get_by_role("button", name=WORDS["fr"]["start"], exact=True).first.click()
    page.get_by_role("button", name=WORDS["fr"]["pause"], exact=True).first.wait_for(timeout=60_000)
    functions = [url for url in called if "/functions/v1/" in url]
    assert functions, "the page calls the functions"
    assert all(url.startswith(f"{page_url}/functions/v1/") for url in functions)
    context.close()
