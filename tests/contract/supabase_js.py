"""supabase-js, running the contract tests in a Node process of its own."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.contract import behaviours
from tests.contract.target import Target
from tests.js.modules import run_node

SCRIPT = Path(__file__).parent.parent / "js" / "contract" / "run.js"
CONTRACT_S_MAX = 300


@dataclass(frozen=True)
class Result:
    """How one behaviour came out: passed, failed or skipped, and why."""

    behaviour: str
    outcome: str
    detail: str


def run_suite(target: Target) -> dict[str, Result]:
    """Every behaviour that the script shows, by its name."""
    settings = {
        "url": target.url,
        "anonKey": target.anon_key,
        "serviceRoleKey": target.service_role_key,
        "isReal": target.is_real,
        "letsSignUp": target.lets_sign_up,
        "letsStayAnonymous": target.lets_stay_anonymous,
        "fileBytesMax": behaviours.BUCKET_FILE_BYTES_MAX,
        "mimeTypes": behaviours.BUCKET_MIME_TYPES,
        "reuseIntervalSeconds": behaviours.REUSE_INTERVAL_S,
    }
    done = run_node(SCRIPT, {"CONTRACT": json.dumps(settings)}, timeout_s=CONTRACT_S_MAX)
    assert done.returncode == 0, done.stderr
    results = [Result(**json.loads(line)) for line in done.stdout.splitlines()]
    return {result.behaviour: result for result in results}
