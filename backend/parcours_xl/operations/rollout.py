"""The canary rollout: a share of users that only grows, or ends (docs/specification.md#rollout)."""

from collections.abc import Awaitable, Callable

from parcours_xl.clients.rollout import Rollout, Step

OnProgress = Callable[[int, int], None]
"""Is told after each call how many users are done, and how many are still to come."""


async def grow_rollout(
    rollout: Rollout, share: int, on_progress: OnProgress, seen: int | None = None
) -> int:
    """Give Parcours XL to more users until a share of them has it; how many got it now.

    seen: the share that the decision was made on. Raises PermanentError (409) when the share has
    changed since, or would shrink.
    """
    return await _repeat(lambda: rollout.grow(share, seen), on_progress)


async def end_rollout(rollout: Rollout, on_progress: OnProgress) -> int:
    """Take Parcours XL from everybody; from how many."""
    return await _repeat(rollout.end, on_progress)


async def _repeat(call: Callable[[], Awaitable[Step]], on_progress: OnProgress) -> int:
    done = 0
    while True:
        step = await call()
        done += step.done
        if not step.remaining or not step.done:
            return done
        on_progress(done, step.remaining)
