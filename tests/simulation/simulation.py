"""One schedule: what happens to some instances, drawn from a seed, in an order that is the same each time."""

from __future__ import annotations

import heapq
import itertools
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from unittest import mock

import structlog
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from commensal import Busy, Refused
from commensal.base import failpoints
from commensal.base.errors import PluginError
from commensal.hooks import dispatcher, time_limits
from commensal.hooks.running import call_in_this_thread
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due
from commensal_federation.transport import Unreachable

from . import invariants
from .liars import Liar, confirmed_beyond
from .network import Network, Weather, Wire
from .nodes import Crash, Node, new_node
from .people import People
from .plan import Plan, plan_of
from .versions import speak, teach
from .worlds import BEGIN, world_of

LYING = 0.2  # probability that a liar lies when somebody does something
QUIET = timedelta(hours=12)  # after which, with everything mended, nothing may be under way
_EVERY = 100  # events between two checks of what must always be true

Act = Callable[[], Any]
Plant = Callable[[], AbstractContextManager[Any]]  # puts a bug into the code until its result is closed


class Violation(AssertionError):
    """A condition does not hold."""


class Simulation:
    """`running` are the instances whose code is on the stack, the innermost last."""

    def __init__(self, seed: int, plant: Plant = nullcontext, **changes: Any) -> None:
        """The bug of `plant` is in the code from here until the run ends; the world, which other schedules share, is
        made without it. `changes` replace values of the plan: another world, for example.
        """
        self.seed, self.chance = seed, random.Random(seed)
        self.plan: Plan = replace(plan_of(self.chance, random.Random(f"{seed} more")), **changes)
        self.world = world_of(self.plan.world)
        self._bug = plant()
        self.now = BEGIN + self.plan.begins
        self.running: list[Node] = []
        self.network = Network(self)
        self.figures: Counter[str] = Counter()
        self.lines: list[str] = []
        self.touched: set[str] = set()
        self.mended = False
        self._heard: list[int] = []  # the number of messages of each node at the last check
        self._heap: list[tuple[datetime, int, str, Node | None, Act]] = []
        self._count, self.events, self._depth = itertools.count(), 0, 0
        self._hash = sha256()
        self.nodes = {name: self._node(name) for name in self.world.images}
        if self.plan.older is not None:
            names = list(self.nodes)
            self.nodes[names[int(self.plan.older * len(names))]].older = True
        self.people = People(self)
        self.liar = self._liar()

    def run(self) -> str:
        """Raises `Violation`. Returns a digest of all that happened, which is the same for the same seed."""
        with self._bug, _alone(self):
            try:
                self._run()
            except Violation:
                raise
            except Exception as error:
                raise Violation(f"{type(error).__name__}: {error}") from error
            finally:
                self.figures += self.network.figures
                for node in self.nodes.values():
                    self.figures["transactions"] += node.commits
                    node.disk.close()
        return self._hash.hexdigest()

    def _run(self) -> None:
        self._begin()
        end = self.now + self.plan.lasts
        while self._heap[0][0] < end:
            self.step()
        self._mend()
        self._pass_to(self.world_closes)
        self._heard = invariants.count_posted(self)
        self.settle(silent=self.plan.short)
        self._refuse([*confirmed_beyond(self)])
        self.people.finish()
        self.settle(silent=True)
        if self.people.waited_for():
            self.people.finish()
            self.settle(silent=True)
        self.people.settle()
        self._refuse(invariants.at_rest(self))
        if self.seed % 4 == 0:
            self._refuse(invariants.again(self))
        if self.seed % 4 == 1:
            self._refuse(invariants.old_news(self))

    def _begin(self) -> None:
        self.network.weather = self.plan.weather
        self.world_closes = self.now + self.plan.closes
        for node in self.nodes.values():
            self._set_clocks()
            self.set_closing(node)
            self.at(self.now + timedelta(seconds=self.chance.uniform(0, 60)), "minute", None, partial(self._tick, node))
            self.touched.add(node.name)
        self.at(self.now, "people", None, self._somebody)
        for _ in range(self.plan.moves):
            self.at(self.now + self.plan.lasts * self.chance.random(), "move", None, self.people.move)
        for delay, fault in self.plan.faults(self):
            self.at(self.now + delay, "fault", None, fault)
        self._wake()

    # ----------------------------------------------------------------------------------------------- what happens

    def at(self, when: datetime, name: str, node: Node | None, action: Act) -> None:
        heapq.heappush(self._heap, (when, next(self._count), name, node, action))

    def step(self) -> None:
        when, _, name, node, action = heapq.heappop(self._heap)
        if when > self.now:
            self.now = when
            self._set_clocks()
        if node is None:
            action()
        else:
            self.do(name, node, action)

    def do(self, name: str, node: Node, act: Act) -> None:
        """Runs any action at an instance that has power."""
        if not node.up:
            return
        self.running.append(node)
        self.touched.add(node.name)
        try:
            result = act()
        except Crash as crash:
            self.fell(crash.node)
            result = "died"
        except Refused as refused:
            result = f"refused: {refused.code}"
        except (Busy, Unreachable, PluginError) as error:
            result = f"{type(error).__name__}: {error}"
        except OperationalError as error:
            if "full" not in str(error.orig):
                raise
            result = "the disk is full"
        finally:
            self.running.pop()
        if result is not False:
            self.note(f"{node.name} {name}", result)
        self.events += 1
        self._refuse([*invariants.at_once(node)])
        if self.events % _EVERY == 0:
            self._refuse(invariants.always(self))
        self._wake()

    def note(self, place: str, text: Any) -> None:
        line = f"{self.now:%H:%M:%S}.{self.now.microsecond // 1000:03} {place}: {text}"
        self.lines.append(line)
        self._hash.update(line.encode())

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._set_clocks()

    def meanwhile(self, node: Node) -> None:
        """While somebody waits for an answer, others continue, at the same instance too."""
        if self._depth or self.mended or self.chance.random() > 0.3:
            return
        self._depth += 1
        try:
            for _ in range(self.chance.randint(1, 3)):
                if not self._heap or self._heap[0][0] > self.now + timedelta(seconds=20):
                    return
                self.step()
        finally:
            self._depth -= 1

    @property
    def is_nested(self) -> bool:
        """Whether the current event happens while another one waits."""
        return self._depth > 0

    def wait(self, seconds: float) -> None:
        """Waits: time passes, and due events happen, except those that would themselves have to wait inside."""
        end = self.now + timedelta(seconds=seconds)
        self._depth += 1
        try:
            while self._depth == 1 and self._heap and self._heap[0][0] <= end:
                self.step()
        finally:
            self._depth -= 1
        if self.now < end:
            self.now = end
            self._set_clocks()

    def fell(self, node: Node) -> None:
        if node.falling:
            return
        node.up, node.falling = False, True
        self.figures["crashes"] += 1
        self.note(node.name, "has no power")
        self.at(self.now + self.plan.within(self.chance, 0.5, 300), "power", None, partial(self.rise, node))

    def rise(self, node: Node) -> None:
        if node.up:
            return
        self.note(node.name, "starts")
        node.start(Wire(self.network, node, node.life + 1))
        teach(self, node)
        self.touched.add(node.name)
        self._wake()

    def node_at(self, base: str) -> Node:
        return next(node for node in self.nodes.values() if node.base == base)

    # ------------------------------------------------------------------------------------------------ who does it

    def _tick(self, node: Node) -> None:
        if not self.mended:
            delay = timedelta(seconds=self.chance.uniform(50, 160))
            self.at(self.now + delay, "minute", None, partial(self._tick, node))
        self.do("minute", node, lambda: run_periodic(node.instance, node.work) and "passes")

    def _work(self, node: Node, when: datetime) -> Any:
        if node.works_at != when:
            return False  # it has looked sooner
        node.works_at = None
        return run_due(node.instance, node.work) and node.doing

    def _somebody(self) -> None:
        if self.mended:
            return
        delay = timedelta(seconds=self.chance.expovariate(1 / self.plan.busy))
        self.at(self.now + delay, "people", None, self._somebody)
        name, node, action = self.people.anybody()
        self.do(name, node, action)
        if self.liar is not None and self.chance.random() < LYING:
            self.do("lies", self.liar.node, self.liar.lie)

    def _wake(self) -> None:
        """Workers of the instances that were touched look for jobs when one is due."""
        touched, self.touched = sorted(self.touched), set()
        for name in touched:
            node = self.nodes[name]
            due_at = node.next_job() if node.up else None
            if due_at is None:
                continue
            delay = timedelta(seconds=self.chance.uniform(0.01, 0.1 if self.plan.brisk else 1.5))
            when = max(self.now, due_at - node.skew) + delay * (10 if node.full else 1)
            if node.works_at is None or when < node.works_at:
                node.works_at = when
                self.at(when, "job", node, partial(self._work, node, when))

    # ------------------------------------------------------------------------------------------------ in the end

    def _mend(self) -> None:
        """Mends the wires, the clocks, the power and the disks."""
        self.mended, self.network.weather = True, Weather()
        self.network.cut.clear()
        self.note("world", "mended")
        for node in self.nodes.values():
            node.skew, node.moments = timedelta(), None
            node.fill_disk(False)
            self.rise(node)
            self.touched.add(node.name)
        self._set_clocks()
        self._wake()

    def settle(self, *, silent: bool = False) -> None:
        """Continues until nothing is under way, twice in a row, but not for ever. `silent`: until nobody posts anything
        new either, which is checked once in short schedules, since each check costs as much as a minute of trade.
        """
        calm, limit, interval = 0, self.now + QUIET, timedelta(minutes=2)
        while calm < (1 if self.plan.short and silent else 2):
            if self.now > limit:
                raise Violation(f"under way for ever: {invariants.under_way(self)}")
            for node in self.nodes.values():
                self._tick(node)
            self._pass_to(self.now + interval)
            heard_before, self._heard = self._heard, invariants.count_posted(self)
            is_under_way = invariants.under_way(self) or (silent and self._heard != heard_before)
            calm = 0 if is_under_way else calm + 1
            interval = min(interval * 1.5, timedelta(minutes=20)) if is_under_way else timedelta(minutes=2)

    def _pass_to(self, moment: datetime) -> None:
        while self._heap and self._heap[0][0] <= moment:
            self.step()
        self.now = max(self.now, moment)
        self._set_clocks()

    def _refuse(self, violations: list[str]) -> None:
        if violations:
            raise Violation("\n".join(violations[:8]))

    def set_closing(self, node: Node) -> None:
        """Has its sales close when those of the others do."""
        with node.disk.write() as tx:
            for table in (coordination, sale_session):
                tx.execute(update(table).values(closes_at=self.world_closes))

    def _set_clocks(self) -> None:
        for node in self.nodes.values():
            node.clock.set(self.now + node.skew)

    def _liar(self) -> Liar | None:
        stalls = self.world.stalls
        if self.plan.liar is None:
            return None
        stall = stalls[int(self.plan.liar * len(stalls))]
        return Liar(self, self.nodes[stall.node], stall)

    def _node(self, name: str) -> Node:
        node = new_node(name, self.world.folder / name, self.now, f"{self.seed}")
        node.load(self.world.images[name])
        node.start(Wire(self.network, node, 1))
        return node


@contextmanager
def _alone(simulation: Simulation) -> Iterator[None]:
    """Threads and the machine's clock would make each run different: hooks are called one by one, and no watchdog
    measures their time. Failpoints of the core are moments in which power may fail.
    """

    def call_in_turn(self: dispatcher.Hooks, hook: Any, calls: Any) -> Any:
        acts = [(place, partial(call_in_this_thread, function, arguments)) for place, function, arguments in calls]
        return [answer for place, act in acts for answer in self._answer(hook, place, act)]

    class Watchdog:
        def watch(self, seconds: float, action: Act) -> Any:
            return nullcontext()

    class Armed:
        def pass_by(self, name: str) -> None:
            if simulation.running:
                simulation.running[-1].pass_by(name)

    logging.disable(logging.CRITICAL)
    with ExitStack() as patches:
        patches.callback(logging.disable, logging.NOTSET)
        patches.enter_context(structlog.testing.capture_logs())
        patches.enter_context(mock.patch.object(dispatcher.Hooks, "_call_side_by_side", call_in_turn))
        patches.enter_context(mock.patch.object(time_limits, "watchdog", Watchdog()))
        patches.enter_context(mock.patch.object(failpoints, "_armed", Armed()))
        speak(simulation, patches)
        yield
