"""The calls that the service's worker makes, in its order, without the outside world."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from parcours_xl.clients.suno_events import SunoEvent
from tests.sql.callers import OWNER, Caller, Refusal, Row
from tests.sql.journeys import Attempt, Journey, complete, other
from tests.sql.world import World

ROUNDS_MAX = 60

# What Suno answers when it is asked about an attempt.
Answers = Callable[[Attempt], SunoEvent]


def nothing_new(attempt: Attempt) -> SunoEvent:
    return other("pending", attempt, source="record_info")


class Worker:
    """Takes steps and jobs and does them. `limits` as the service passes them."""

    def __init__(self, service: Caller, limits: dict[str, Any]) -> None:
        self.service = service
        self.limits = limits

    def take_steps(self, quantity: int = 4, lease_s: int = 60) -> list[Row]:
        return list(self.service.call("next_steps", quantity=quantity, lease_s=lease_s))

    def do(self, step: Row, answers: Answers = nothing_new) -> None:
        """One step, as parcours_xl.worker.handlers does it."""
        match step["action"]:
            case "submit":
                self.submit(UUID(step["segment_id"]), step["callback_token"])
            case "ask":
                attempt = _attempt(step)
                self.tell(attempt, answers(attempt))
            case "retry":
                token = {"token": step["callback_token"]}
                self._call(
                    "retry_segment", segment_id=step["segment_id"], limits=self.limits, **token
                )
            case "give_up":
                self._call("fail_segment", **_attempt(step).names, reason="timeout")
            case "settle":
                self._call("release_run", run_id=step["run_id"])
            case action:
                raise AssertionError(f"nobody knows how to {action}")

    def submit(self, segment_id: UUID, token: str | None = None) -> Attempt | None:
        """Claim a segment and have Suno take it; None when that may not be done now."""
        claim = self._call("claim_segment", limits=self.limits, segment_id=segment_id)
        if isinstance(claim, Refusal):
            if claim.hint == "attempts" and token:
                self._call(
                    "fail_segment", segment_id=segment_id, token=token, reason="attempts_used_up"
                )
            return None
        if claim["outcome"] == "skipped":
            return None
        attempt = Attempt(
            segment_id, UUID(claim["callback_token"]), f"task-{uuid4()}", claim["slot"]
        )
        self._call("answer_suno_request", slot=attempt.slot)
        self._call("record_task", **attempt.names, task_id=attempt.task_id)
        return attempt

    def tell(self, attempt: Attempt, event: SunoEvent) -> Any:
        return self._call("record_callback", **attempt.names, event=event.as_json())

    def take_jobs(self, quantity: int = 4, lease_s: int = 60) -> list[Row]:
        return list(self.service.call("take_track_jobs", quantity=quantity, lease_s=lease_s))

    def store(self, job: Row, *, well: bool = True) -> Any:
        """One job, as parcours_xl.worker.handlers does it."""
        receipt = {"msg_id": job["msg_id"], "read_ct": job["read_ct"]}
        outcome = self._erase(job) if job["kind"] == "erase" else self._keep(job, well)
        self._call("finish_job", queue="parcours_tracks", **receipt)
        return outcome

    def _erase(self, job: Row) -> Any:
        return self._call("record_erasures", run_ids=f"{{{job['run_id']}}}")

    def _keep(self, job: Row, well: bool) -> Any:
        outcome = "late"
        names = {"segment_id": job["segment_id"], "token": job["callback_token"]}
        if job["current"] and well:
            path = f"runs/{job['run_id']}/{job['segment_id']}.mp3"
            outcome = self._call("record_track", **names, storage_path=path)
        elif job["current"]:
            outcome = self._call("fail_segment", **names, reason="track_unavailable", again=True)
        return outcome

    def _call(self, function: str, **arguments: Any) -> Any:
        return self.service.attempt(function, **arguments)


def bring_to_an_end(world: World, journeys: list[Journey]) -> None:
    """One worker, a willing Suno and a patient user do all that can be done."""
    worker = Worker(world.service, journeys[0].limits)
    world.service.call("requeue_dead_letters")
    for _ in range(ROUNDS_MAX):
        for journey in journeys:
            asked = {"run_id": journey.id, "limits": journey.limits, "user_id": OWNER}
            world.service.attempt("start_run", **asked)
        world.let_pass(3600)
        steps, jobs = worker.take_steps(quantity=20), worker.take_jobs(quantity=20)
        for step in steps:
            worker.do(step, lambda attempt: complete(attempt, source="record_info"))
            world.let_pass(10)
        for job in jobs:
            worker.store(job)
        if not steps and not jobs:
            return
    raise AssertionError("there is no end to it")


def _attempt(step: Row) -> Attempt:
    return Attempt(UUID(step["segment_id"]), UUID(step["callback_token"]), step["task_id"], 0)
