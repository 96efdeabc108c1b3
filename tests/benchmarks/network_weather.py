"""What goes wrong in a network of simulated instances: machines are off, clocks wrong, lines bad, releases old."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from commensal.base.clock import ManualClock
from commensal_federation.messages.types import Writing
from commensal_federation.runtime import Binding, Federation
from commensal_federation.testing import Wire
from commensal_federation.transport import Answer, Request, Unreachable

OFF = 0.1  # of the machines
SKEW, WRONG, FAR_WRONG = 25, 180, 0.05  # seconds; seconds of a wrong clock; of the machines
UNSENT, UNANSWERED = 0.02, 0.01  # of the requests
RELEASES = ((), ("barred",))  # members of messages that a release does not know: this one, 0.2.0


class WrongClock(ManualClock):
    """A clock that goes `wrong` by so much beside the true one."""

    def __init__(self, true: ManualClock) -> None:
        super().__init__(true.now())
        self._true, self.wrong = true, timedelta()

    def now(self) -> datetime:
        return self._true.now() + self.wrong


@dataclass
class Weather:
    """What goes wrong with machines, clocks and lines at present. Instances are named by their base addresses."""

    chance: random.Random
    clocks: dict[str, WrongClock] = field(default_factory=dict)
    off: set[str] = field(default_factory=set)
    far_wrong: set[str] = field(default_factory=set)  # by clocks that no peer accepts
    bad: bool = False  # lines
    requests: int = 0

    @property
    def away(self) -> set[str]:
        return self.off | self.far_wrong

    def turn(self) -> set[str]:
        """Switches other machines off. Returns those that are on again."""
        before, names = self.off, sorted(self.clocks)
        self.off = set(self.chance.sample(names, round(OFF * len(names))))
        return before - self.off

    def set_clocks(self) -> None:
        self.far_wrong.clear()
        for base, clock in self.clocks.items():
            seconds = self.chance.uniform(-SKEW, SKEW)
            if self.chance.random() < FAR_WRONG:
                self.far_wrong.add(base)
                seconds = WRONG
            clock.wrong = timedelta(seconds=seconds)

    def clear(self) -> set[str]:
        """All machines, lines and clocks are well again. Returns those that were off."""
        before, self.off, self.bad = self.off, set(), False
        self.far_wrong.clear()
        for clock in self.clocks.values():
            clock.wrong = timedelta()
        return before


@dataclass(frozen=True)
class FlappingWire(Wire):
    weather: Weather
    called: set[str]  # base addresses of those who have something to do since
    pause: Callable[[float], object]  # lets so many seconds pass

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        base = "/".join(request.url.split("/")[:3])
        self.weather.requests += 1
        if {base, self.base} & self.weather.off:
            raise Unreachable(f"{base} is off")
        luck = self.weather.chance.random() if self.weather.bad else 1.0
        if luck < UNSENT:
            raise Unreachable(f"the line to {base} broke off")
        answer = super().send(request, seconds=seconds, size=size)
        self.wires.passed.clear()
        self.called.update((base, self.base))
        if luck < UNSENT + UNANSWERED:
            raise Unreachable(f"the answer of {base} got lost")
        return answer

    def wait(self, seconds: float) -> None:
        self.pause(seconds)


def speak_as_before(federation: Federation, release: int) -> None:
    """Leaves members of messages out, as a release does that does not know them."""
    messages = cast(dict[str, Binding], federation.messages)
    for name in ("LeaseRequest", "LeaseReport", "LeaseGrant", "LeaseRefusal"):
        known = messages[name]

        def write(body: Any, writing: Writing, *, known: Binding = known) -> dict[str, Any]:
            said = known.type.write(body, writing)
            return {member: value for member, value in said.items() if member not in RELEASES[release]}

        messages[name] = replace(known, type=replace(known.type, write=write))
