"""The wires between instances: they lose requests and answers, deliver them twice, late, or one way only."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from commensal_federation.handlers import TYPES
from commensal_federation.testing import answer_of
from commensal_federation.transport import Answer, Request, Unreachable

from .nodes import Crash, Node

if TYPE_CHECKING:
    from .simulation import Simulation


_TYPE = re.compile(rb'"type":"([A-Za-z]+)"')


@dataclass
class Weather:
    """How bad the wires are: probabilities from 0 to 1, and seconds."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0  # the probability that a lost or doubled request comes after all
    delay: float = 0.2


@dataclass
class Network:
    simulation: Simulation
    weather: Weather = field(default_factory=Weather)
    cut: set[tuple[str, str]] = field(default_factory=set)  # (from, to)
    figures: Counter[str] = field(default_factory=Counter)

    def carry(self, origin: Node, request: Request) -> Answer:
        """Sends a request as a transport does. Other events happen in the meantime, at the sender too."""
        simulation, weather, chance = self.simulation, self.weather, self.simulation.chance
        parts = urlsplit(request.url)
        target = simulation.node_at(f"{parts.scheme}://{parts.netloc}")
        self.figures["requests"] += 1
        simulation.pass_time(chance.uniform(0.01, weather.delay))
        simulation.meanwhile(origin)
        if (origin.name, target.name) in self.cut or not target.up or chance.random() < weather.lost:
            self._perhaps_later(origin, target, request, weather.lost * weather.late)
            self.figures["lost"] += 1
            raise Unreachable("no answer")
        answer = self._deliver(origin, target, request)
        self._perhaps_later(origin, target, request, weather.doubled)
        simulation.meanwhile(origin)
        if (target.name, origin.name) in self.cut or chance.random() < weather.lost:
            self.figures["lost"] += 1
            raise Unreachable("the answer got lost")
        return answer

    def _deliver(self, origin: Node, target: Node, request: Request) -> Answer:
        self.simulation.running.append(target)
        self.simulation.touched.add(target.name)
        try:
            answer = answer_of(target.federation, request, origin.base)
        except Crash as crash:
            if crash.node is not target:
                raise
            self.simulation.fell(target)
            raise Unreachable("it has died over it") from None
        finally:
            self.simulation.running.pop()
        self.figures["messages"] += request.body.count(b"\n") + 1 if request.method == "POST" else 0
        self.simulation.note(f"{origin.name} -> {target.name}", f"{request.method} {_what(request)}: {answer.status}")
        return answer

    def _perhaps_later(self, origin: Node, target: Node, request: Request, probability: float) -> None:
        """The wire keeps a copy, and delivers it when nobody waits for the answer any more."""
        if self.simulation.chance.random() >= probability:
            return
        self.figures["doubled"] += 1
        delay = timedelta(seconds=self.simulation.chance.choice((0.1, 5, 60, 280)))

        def deliver() -> str:
            try:
                return str(self._deliver(origin, target, request).status)
            except Unreachable as error:
                return str(error)

        self.simulation.at(self.simulation.now + delay, f"a copy of {_what(request)} comes", target, deliver)


def _what(request: Request) -> str:
    """Describes the request in a few words that are the same each time, unlike signatures."""
    parts = urlsplit(request.url)
    types = Counter(name for match in _TYPE.findall(request.body) if (name := match.decode()) in TYPES)
    types_text = ", ".join(f"{number} {name}" for name, number in sorted(types.items())) or parts.query
    return f"{parts.path.rpartition('/federation/')[2]} {types_text}".strip()


@dataclass(frozen=True)
class Wire:
    """The transport of one instance."""

    network: Network
    node: Node
    life: int  # of the process that sends

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        try:
            return self.network.carry(self.node, request)
        finally:
            if not self.node.up or self.node.life != self.life:
                raise Crash(self.node)

    def wait(self, seconds: float) -> None:
        """Lets due events happen in the meantime."""
        self.network.simulation.wait(seconds)
        if not self.node.up or self.node.life != self.life:
            raise Crash(self.node)
