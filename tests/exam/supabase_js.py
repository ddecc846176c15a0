"""supabase-js, sitting the exam in a Node process of its own."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.exam import behaviours
from tests.exam.examinee import Examinee
from tests.js.modules import run_node

SCRIPT = Path(__file__).parent.parent / "js" / "exam" / "sit.js"
EXAM_S_MAX = 300


@dataclass(frozen=True)
class Result:
    """How one behaviour came out: passed, failed or skipped, and why."""

    behaviour: str
    outcome: str
    detail: str


def sit(examinee: Examinee) -> dict[str, Result]:
    """Every behaviour that the script shows, by its name."""
    settings = {
        "url": examinee.url,
        "anonKey": examinee.anon_key,
        "serviceRoleKey": examinee.service_role_key,
        "isReal": examinee.is_real,
        "letsSignUp": examinee.lets_sign_up,
        "letsStayAnonymous": examinee.lets_stay_anonymous,
        "fileBytesMax": behaviours.BUCKET_FILE_BYTES_MAX,
        "mimeTypes": behaviours.BUCKET_MIME_TYPES,
        "reuseIntervalSeconds": behaviours.REUSE_INTERVAL_S,
    }
    done = run_node(SCRIPT, {"EXAM": json.dumps(settings)}, timeout_s=EXAM_S_MAX)
    assert done.returncode == 0, done.stderr
    results = [Result(**json.loads(line)) for line in done.stdout.splitlines()]
    return {result.behaviour: result for result in results}
