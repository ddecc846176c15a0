"""Faults on demand: which are in force, whom they hit, how often still."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Option = str | int | float | bool
FAULTS_MAX = 200
COMMON_FIELDS = {"fault", "times", "seconds", "match"}


class UnknownFaultError(ValueError):
    """This fault does not exist or cannot be told this."""


@dataclass(frozen=True)
class Kind:
    """What one fault is. Options not given keep these values."""

    strikes: str
    """The moment at which the simulator asks for it."""
    does: str
    options: Mapping[str, Option] = field(default_factory=dict)
    match: Mapping[str, str] = field(default_factory=dict)
    """Whom it hits unless told otherwise."""


@dataclass
class Fault:
    """One fault in force."""

    name: str
    strikes: str
    match: dict[str, str]
    options: dict[str, Option]
    left: int | None
    """How many times still; None without limit."""
    until: float | None
    """Clock time at which it ends; None never."""
    struck: int = 0

    def hits(self, facts: Mapping[str, str]) -> bool:
        """Each name in match must equal the fact; "*" takes any."""
        return all(value in ("*", facts.get(name)) for name, value in self.match.items())

    def number(self, option: str) -> float:
        value = self.options[option]
        assert isinstance(value, int | float), f"{option} is a number"
        return float(value)

    def text(self, option: str) -> str:
        return str(self.options[option])

    def describe(self, now: float) -> dict[str, Any]:
        """As the control endpoint shows it."""
        seconds = None if self.until is None else round(self.until - now, 2)
        return {
            "fault": self.name,
            "times": self.left,
            "seconds": seconds,
            "match": self.match,
            "struck": self.struck,
        } | self.options


class FaultBook:
    """The faults in force; of equal ones the oldest strikes until it is used up."""

    def __init__(
        self, kinds: Mapping[str, Kind], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.kinds = kinds
        self._clock = clock
        self._faults: list[Fault] = []

    def add(self, raw: object) -> Fault:
        """Put a fault in force from `{fault, times | seconds, match, …options}`.

        One time by default; `seconds` without `times` has no count; `times: 0` lasts until cleared.
        Raises UnknownFaultError with what was wrong.
        """
        if not isinstance(raw, Mapping):
            raise UnknownFaultError("a fault is a JSON object")
        name = raw.get("fault")
        if not isinstance(name, str) or name not in self.kinds:
            raise UnknownFaultError(f"unknown fault {name!r}; there are: {', '.join(self.kinds)}")
        self._forget_spent()
        if len(self._faults) >= FAULTS_MAX:
            raise UnknownFaultError(f"{FAULTS_MAX} faults are in force already")
        kind = self.kinds[name]
        seconds = _read_number(raw, "seconds")
        times = _read_number(raw, "times")
        count = int(times) if times is not None else (1 if seconds is None else 0)
        fault = Fault(
            name=name,
            strikes=kind.strikes,
            match={**kind.match, **_read_match(raw)},
            options=_read_options(raw, kind.options),
            left=count or None,
            until=None if seconds is None else self._clock() + seconds,
        )
        self._faults.append(fault)
        return fault

    def take(self, strikes: str, **facts: str) -> dict[str, Fault]:
        """The faults which hit this moment, by name; each is thereby used once."""
        self._forget_spent()
        hit: dict[str, Fault] = {}
        for fault in self._faults:
            if fault.strikes == strikes and fault.name not in hit and fault.hits(facts):
                hit[fault.name] = fault
        for fault in hit.values():
            fault.struck += 1
            fault.left = None if fault.left is None else fault.left - 1
        return hit

    def is_in_force(self, name: str) -> bool:
        """Whether a fault of this kind would still strike; asking does not use it up."""
        self._forget_spent()
        return any(fault.name == name for fault in self._faults)

    def clear(self) -> None:
        """No fault is in force any more."""
        self._faults.clear()

    def describe(self) -> list[dict[str, Any]]:
        """All faults in force."""
        self._forget_spent()
        return [fault.describe(self._clock()) for fault in self._faults]

    def _forget_spent(self) -> None:
        now = self._clock()
        self._faults = [
            fault
            for fault in self._faults
            if fault.left != 0 and (fault.until is None or fault.until > now)
        ]


def _read_number(raw: Mapping[str, Any], name: str) -> float | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise UnknownFaultError(f"{name} must be a number, not below 0")
    return float(value)


def _read_match(raw: Mapping[str, Any]) -> dict[str, str]:
    match = raw.get("match") or {}
    if not isinstance(match, Mapping):
        raise UnknownFaultError("match must be a JSON object")
    return {str(name): str(value) for name, value in match.items()}


def _read_options(raw: Mapping[str, Any], known: Mapping[str, Option]) -> dict[str, Option]:
    given = {name: value for name, value in raw.items() if name not in COMMON_FIELDS}
    if unknown := given.keys() - known.keys():
        raise UnknownFaultError(
            f"{raw['fault']} cannot be told {', '.join(sorted(unknown))}; only {', '.join(known)}"
        )
    for name, value in given.items():
        if not _alike(value, known[name]):
            raise UnknownFaultError(f"{name} must be like {known[name]!r}")
    return {**known, **given}


def _alike(value: object, model: Option) -> bool:
    if isinstance(model, bool) or isinstance(value, bool):
        return isinstance(model, bool) and isinstance(value, bool)
    if isinstance(model, int | float):
        return isinstance(value, int | float)
    return isinstance(value, str)
