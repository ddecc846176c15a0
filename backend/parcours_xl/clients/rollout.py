"""Typed calls of the SQL functions behind the canary rollout (docs/specification.md#rollout)."""

from datetime import datetime

import httpx
import pydantic

from parcours_xl.clients.database import SqlFunctions

USERS_A_CALL = 20_000
"""A call is cut after 8 s; so many users, out of 200,000, take 2 s on a busy machine."""


class _Result(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="ignore")


class RolloutState(_Result):
    """How far the rollout is. share: in percent, as set last; 0 is none.

    eligible: users older than 30 days. enabled: everybody whose flag is on.
    """

    share: int
    since: datetime
    users: int
    enabled: int
    eligible: int
    eligible_enabled: int


class Step(_Result):
    """One call's part of the work. done: users changed; remaining: users still to change."""

    done: int = pydantic.Field(validation_alias=pydantic.AliasChoices("given", "taken"))
    remaining: int


class Rollout:
    """Who may create runs while ROLLOUT=flags, under the service role.

    Every method raises PermanentError where the SQL function says so, and SupabaseUnavailable when
    it cannot be reached.
    """

    def __init__(self, rest_url: str, key: str, http: httpx.AsyncClient):
        self._call = SqlFunctions(rest_url, key, http).call

    async def read(self) -> RolloutState:
        return RolloutState.model_validate(await self._call("read_rollout"))

    async def grow(self, share: int, seen: int | None = None) -> Step:
        """Give it to more users, up to a share. seen: the share that the caller saw before."""
        answer = await self._call("grow_rollout", p_share=share, p_limit=USERS_A_CALL, p_from=seen)
        return Step.model_validate(answer)

    async def end(self) -> Step:
        """Take it from users, until nobody has it."""
        return Step.model_validate(await self._call("end_rollout", p_limit=USERS_A_CALL))
