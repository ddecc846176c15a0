"""What Suno sends out by itself: the callbacks of one task, on Suno's timetable."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import httpx

from parcours_dev.simulators.faults import Fault, FaultBook
from parcours_dev.simulators.settings import SunoSettings
from parcours_dev.simulators.tasks import MESSAGES, Failure, Stage, Task
from parcours_dev.simulators.urls import with_url_faults

AFTER_COMPLETE_S = 0.2
"""How long a reordered first waits behind the complete that overtook it."""


class CallbackSender:
    """Moves each task through its stages and tells its callback URL."""

    def __init__(
        self, settings: SunoSettings, faults: FaultBook, client: httpx.AsyncClient | None
    ) -> None:
        self._settings, self._faults = settings, faults
        self._client = client or httpx.AsyncClient(trust_env=False, follow_redirects=False)
        self._running: set[asyncio.Task[None]] = set()

    def start(self, task: Task) -> None:
        """Begin a task's timetable in the background."""
        self._spawn(self._perform(task))

    async def close(self) -> None:
        """Stop everything that still runs or waits."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._client.aclose()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        running = asyncio.get_running_loop().create_task(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _perform(self, task: Task) -> None:
        overtaken: dict[str, Any] | None = None
        for stage, seconds in zip(MESSAGES, task.stages_s, strict=True):
            due = task.accepted_at + seconds
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            callback = stage.name.lower()
            hit = self._faults.take("callback", callback=callback, **task.facts)
            if "error_callback" in hit:
                self._fail(task, hit)
                return
            task.stage = stage
            message = self._write_message(task, stage)
            if "reordered_callbacks" in hit and stage is not Stage.COMPLETE:
                overtaken = message
                continue
            self._send(task, callback, message, hit)
        if overtaken is not None:
            await asyncio.sleep(AFTER_COMPLETE_S)
            self._send(task, overtaken["data"]["callbackType"], overtaken, {})

    def _fail(self, task: Task, hit: dict[str, Fault]) -> None:
        fault = hit["error_callback"]
        failure = Failure(int(fault.number("code")), fault.text("message"))
        task.failure = failure
        data = {"callbackType": "error", "task_id": task.id, "data": None}
        shapes = {"outer": None, "text": data | {"error": failure.message}}
        data_as_asked = shapes.get(fault.text("shape"), data)
        message = {"code": failure.code, "msg": failure.message, "data": data_as_asked}
        self._send(task, "error", message, hit)

    def _write_message(self, task: Task, stage: Stage) -> dict[str, Any]:
        facts = {"message": "callback", "callback": stage.name.lower(), **task.facts}
        hit = self._faults.take("message", **facts)
        return {
            "code": 200,
            "msg": MESSAGES[stage],
            "data": {
                "callbackType": stage.name.lower(),
                "task_id": task.id,
                "data": with_url_faults(task.items(stage), hit),
            },
        }

    def _send(
        self, task: Task, callback: str, message: dict[str, Any], hit: dict[str, Fault]
    ) -> None:
        if "lost_callback" in hit:
            self._note(task, callback, attempt=0, outcome="lost", began=time.monotonic())
            return
        delay_s = hit["late_callback"].number("delay_s") if "late_callback" in hit else 0.0
        copies = int(hit["doubled_callback"].number("copies")) if "doubled_callback" in hit else 1
        for _ in range(copies):
            self._spawn(self._deliver(task, callback, message, delay_s))

    async def _deliver(
        self, task: Task, callback: str, message: dict[str, Any], delay_s: float
    ) -> None:
        """Wait 15 s for an answer, and give up after three repetitions.

        See docs/vendors.md#suno-callbacks.
        """
        await asyncio.sleep(delay_s)
        for attempt in range(1 + self._settings.callback_retries):
            if attempt:
                await asyncio.sleep(self._settings.callback_retry_s / self._settings.speed)
            began = time.monotonic()
            outcome = await self._post(task.callback_url, message)
            self._note(task, callback, attempt=attempt + 1, outcome=outcome, began=began)
            if outcome.startswith("2"):
                return
        task.callback_failed = task.callback_failed or callback == "complete"

    async def _post(self, url: str, message: dict[str, Any]) -> str:
        """The HTTP status of the answer, or what went wrong instead."""
        try:
            async with asyncio.timeout(self._settings.callback_timeout_s):
                answer = await self._client.post(url, json=message, timeout=None)
        except TimeoutError:
            return "timeout"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__
        return str(answer.status_code)

    def _note(self, task: Task, callback: str, *, attempt: int, outcome: str, began: float) -> None:
        took_s = time.monotonic() - began
        task.deliveries.append(
            {
                "callback": callback,
                "attempt": attempt,
                "outcome": outcome,
                "at": round(time.time() - took_s, 4),
                "ms": round(took_s * 1000),
            }
        )
