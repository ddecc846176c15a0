"""The edge functions of a hosted project pass everything on to the service, and back."""

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from parcours_dev.deployment import listens
from parcours_dev.ports import choose_free_ports
from parcours_dev.supabase.proxy import Proxy, create_client
from parcours_xl.api.routes import FUNCTION_ROUTES
from tests.end_to_end.deployment import ANSWER_S_MAX, Deployment, running_workers
from tests.fixtures.servers import UnresponsiveServer, running
from tests.fixtures.waiting import wait_until
from tests.js.modules import install_modules, run_node

ROOT = Path(__file__).parents[2]
EDGE = ROOT / "supabase" / "functions"
NAMES = [endpoint.name for endpoint in FUNCTION_ROUTES]

post = partial(httpx.post, trust_env=False, timeout=ANSWER_S_MAX)


def deno() -> str:
    """The one of the npm packages, else (not on Linux x64) the one on PATH."""
    installed = next((install_modules() / "node_modules" / "@deno").glob("*/deno"), None)
    found = str(installed) if installed else shutil.which("deno")
    assert found, "Deno is needed: on other platforms than Linux x64, install it"
    return found


@contextmanager
def running_forwarder(name: str, service: str, edge: Path = EDGE) -> Iterator[int]:
    """One edge function in a Deno of its own, as Supabase's edge runtime runs it."""
    [port] = choose_free_ports(1)
    process = subprocess.Popen(
        [deno(), "run", "--allow-env", "--allow-net", edge / name / "index.ts"],
        env={
            **os.environ,
            "PARCOURS_XL_URL": service,
            "DENO_SERVE_ADDRESS": f"tcp:127.0.0.1:{port}",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: listens(port), 20)
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def running_project(deployment: Deployment) -> Iterator[str]:
    """The embedded Supabase with its own edge functions, at one origin, as a hosted project is."""
    with ExitStack() as started:
        forwarders = {
            name: started.enter_context(running_forwarder(name, deployment.project.functions_url))
            for name in NAMES
        }
        client = create_client()
        edge = [
            Mount(
                f"/functions/v1/{name}", Proxy(client, f"http://127.0.0.1:{port}", "/functions/v1")
            )
            for name, port in forwarders.items()
        ]
        app = Starlette(routes=[*edge, Mount("", Proxy(client, deployment.project.url))])
        [port] = choose_free_ports(1)  # after the forwarders have theirs
        yield started.enter_context(running(app, port))


def test_every_function_has_its_forwarder() -> None:
    edge = {folder.name for folder in EDGE.iterdir() if not folder.name.startswith("_")}
    assert edge == set(NAMES)


def test_the_platform_leaves_every_token_to_the_service() -> None:
    """Its own check refuses ES256 tokens, with which hosted projects sign."""
    config = tomllib.loads((ROOT / "supabase" / "config.toml").read_text())
    asked_for = {name: how["verify_jwt"] for name, how in config["functions"].items()}
    assert asked_for == {endpoint.name: False for endpoint in FUNCTION_ROUTES}


def test_the_forwarders_type_check() -> None:
    done = subprocess.run(
        [deno(), "check", *EDGE.glob("*/index.ts")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_supabase_js_completes_a_journey_through_the_forwarders(deployment: Deployment) -> None:
    with running_project(deployment) as origin, running_workers(deployment):
        done = run_node(
            ROOT / "tests" / "js" / "journey.js",
            {"SUPABASE_URL": origin, "SUPABASE_ANON_KEY": deployment.project.anon_key},
            timeout_s=90,
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["run"]["status"] == "ready"
    assert told["stranger"]["status"] == 403
    assert told["anonymous"]["status"] == 401


def test_a_callback_keeps_its_query_status_and_body(deployment: Deployment) -> None:
    # Only this test calls back: Suno's own callback may be the quicker one.
    deployment.ask_fault(fault="lost_callback", times=0, match={"callback": "*"})
    run_id = deployment.create_run()
    deployment.call(
        "parcours-xl-generate", {"runId": str(run_id), "segmentIndex": 0}
    ).raise_for_status()
    [segment] = deployment.segments(run_id)
    names = {"segment": str(segment["id"]), "token": str(segment["callback_token"])}
    body = {"stage": "first", "streamUrl": "https://cdn1.suno.ai/preview.mp3"}
    with running_forwarder("parcours-xl-callback", deployment.project.functions_url) as port:
        url = f"http://127.0.0.1:{port}/parcours-xl-callback"
        first = post(url, params=names, json=body)
        again = post(url, params=names, json=body)
        wrong = post(url, params=names | {"token": str(uuid4())}, json=body)
    assert (first.status_code, first.json()) == (200, {"ok": True})
    assert first.headers["content-type"] == "application/json"
    assert first.headers["x-request-id"]
    assert again.json() == {"ok": True, "skipped": True}
    deployment.clear_faults()
    assert wrong.status_code == 401
    assert deployment.segments(run_id)[0]["preview_url"] == body["streamUrl"]


def test_a_preflight_is_answered_as_the_service_answers_it(deployment: Deployment) -> None:
    asked = {
        "Origin": "https://app.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-client-info,apikey,content-type",
    }
    with running_forwarder("sign-track", deployment.project.functions_url) as port:
        answer = httpx.options(
            f"http://127.0.0.1:{port}/sign-track", headers=asked, trust_env=False
        )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "x-client-info" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize(("service", "status"), [("http://127.0.0.1:9", 503), ("", 503)])
def test_a_service_that_is_unavailable_is_a_clear_503(service: str, status: int) -> None:
    with running_forwarder("sign-track", service) as port:
        answer = post(f"http://127.0.0.1:{port}/sign-track", json={})
    assert answer.status_code == status
    assert answer.json()["error"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_service_that_does_not_answer_in_time_is_a_504(
    tmp_path: Path, loopback: UnresponsiveServer
) -> None:
    edge = shutil.copytree(EDGE, tmp_path / "functions")
    forward = edge / "_shared" / "forward.ts"
    patient = forward.read_text()
    hasty = patient.replace("ANSWER_MS_MAX = 25_000", "ANSWER_MS_MAX = 300")
    assert hasty != patient
    forward.write_text(hasty)
    with running_forwarder("sign-track", f"http://127.0.0.1:{loopback.port}", edge) as port:
        answer = post(f"http://127.0.0.1:{port}/sign-track", json={})
    assert answer.status_code == 504
    assert answer.json()["error"]
