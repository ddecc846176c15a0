"""What every door finds in the house: settings, adapters, and the worker's bell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from parcours_xl.adapters.brief_writer import BriefWriter
from parcours_xl.adapters.outside import Outside
from parcours_xl.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """wake_worker: tell this process's own worker that there is work, if it has one."""

    settings: Settings
    outside: Outside
    brief_writer: BriefWriter
    wake_worker: Callable[[], None]


def house_of(request: Request) -> House:
    """The house that this request came into."""
    return cast(House, request.state.house)
