"""Lying money: a paired partner says anything about orders, receipts and stock with its real keys, up to a year later.

One of two instances lies: the one of a hub, or of the farm that it sells. The real code of the other is told messages
of which any member was changed, and of its sums (statements, books, what is to be paid) none may follow without a
person, or beyond the allowance. ``make lies`` tries 10,000 schedules, ``make lies SCHEDULES=…`` another number, from
``SEED=…`` on.
"""

from __future__ import annotations

import logging
import os
import random
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import structlog
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from commensal import Instance, Refused
from commensal.parts.supply.owed import owed_at_session
from commensal.parts.supply.supplier_accounts import supplier_accounts
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due
from commensal_federation.allowance.tables import federation_allowance_draw
from commensal_federation.identity import begin_identity
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.statement import statement_of
from commensal_federation.signing import Unreadable
from commensal_federation.testing import Region, Wire, Wires, region_of

from ..federation.test_shortages import choose
from ..federation.trading import Hub, answer
from .campaign import pool_of_processes
from .mutations import changed_message, told_before
from .nodes import Node, new_node
from .worlds import BEGIN, farm_with_cheese, template_of_disks

DAY = timedelta(days=1)
ROUND = 25  # schedules of one drawn block
EVERY = 20  # seconds, between two words about how far it is
TYPES = {  # of messages, those that name sums more often
    "hub": ("OrderUpdate", "OrderUpdate", "OrderUpdate", "LeaseReport"),
    "farm": ("OrderAnswer", "OrderAnswer", "OrderAnswer", "LeaseGrant", "StockLevel", "CatalogueUpsert"),
}
Plant = Callable[[], AbstractContextManager[Any]]


class BelievedALie(AssertionError):
    """A sum of an honest instance followed a lie."""


@dataclass
class Tried:
    """What a campaign has tried; `wrong` is empty if all was well."""

    wrong: str = ""
    figures: Counter[str] = field(default_factory=Counter)


class Partners:
    """The two instances, as they were when the sale was over and confirmed."""

    def __init__(self, images: Mapping[str, bytes], folder: Path) -> None:
        self.nodes = {name: new_node(name, folder / name, BEGIN, f"lies {name}") for name in "ab"}
        wires = Wires()
        for node in self.nodes.values():
            node.load(images[node.name])
            node.start(Wire(wires, node.base))
        self.region = region_of([(node.name, node.instance) for node in self.nodes.values()], self._run_due)
        self.set_clocks(BEGIN + DAY + timedelta(hours=1, minutes=4))

    def _run_due(self, instance: Instance) -> bool:
        return run_due(instance, next(node.work for node in self.nodes.values() if node.instance is instance))

    def set_clocks(self, moment: Any) -> None:
        self.now = moment
        for node in self.nodes.values():
            node.clock.set(moment)

    def pass_time(self, days: int) -> None:
        self.set_clocks(self.now + days * DAY + timedelta(minutes=1))
        for node in self.nodes.values():
            run_periodic(node.instance, node.work)
        self.region.work()

    def close(self) -> None:
        for node in self.nodes.values():
            node.instance.close()
            node.disk.close()


def schedule(data: st.DataObject, figures: Counter[str]) -> None:
    """Some lies of one side, each some days after the one before. Raises `BelievedALie`."""
    stage = data.draw(st.sampled_from(sorted(STAGES)))
    liar = data.draw(st.sampled_from(["hub", "farm"]))
    partners = Partners(*images_of(stage))
    try:
        from_node, to_node = (partners.nodes[name] for name in ("ba" if liar == "hub" else "ab"))
        holds_back = stage == HELD_BACK and liar == "farm"
        if holds_back:
            partners.region.cut("a", "b")
        elif stage == HELD_BACK:
            partners.pass_time(0)
        honest = Honest(to_node, "farm-a" if liar == "hub" else "hub", liar)
        for number in range(data.draw(st.integers(1, 3))):
            is_first_answer = holds_back and not number
            days, types = ([3, 5], ["OrderAnswer"]) if is_first_answer else ([0, 0, 1, 20, 70, 365], TYPES[liar])
            partners.pass_time(data.draw(st.sampled_from(days)))
            said = _lie(data, partners, from_node, data.draw(st.sampled_from(types)))
            figures["lies" if said else "nothing to say"] += 1
            if (wrong := honest.wrong()) is not None:
                raise BelievedALie(f"{stage}, the {liar} lies: {said}: {wrong}")
    finally:
        partners.close()


def _lie(data: st.DataObject, partners: Partners, node: Node, type_name: str) -> str:
    """Says something of which a member or several are changed. Returns what; empty: there was nothing to say."""
    before = told_before(node, type_name)
    if before is None:
        return ""
    try:
        said = changed_message(data, node, type_name, before)
    except (Unreadable, Refused) as error:
        return f"{type_name} that cannot be said: {error}"
    partners.region.mend()
    partners.region.work()
    partners.pass_time(0)
    return said


class Honest:
    """An instance with its sums as they were before anybody lied."""

    def __init__(self, node: Node, enterprise_id: str, liar: str) -> None:
        self.node, self.id, self.liar = node, enterprise_id, liar
        self.sums = self._sums()
        self.before = self._drawn()

    def wrong(self) -> str | None:
        """Which sum has followed a lie: the farm gets less, or the hub owes more or less, than the allowance says."""
        sums, allowed = self._sums(), self._drawn() - self.before
        if allowed > 50_00 * 13:
            return f"{allowed} were drawn in a year"
        for name, before in self.sums.items():
            now = sums.get(name, 0)
            falls, grows = before - now, now - before
            if name.startswith("statement") and self.liar == "farm":
                falls = 0  # the farm says itself that it gets less
            if name.startswith("statement") and self.liar == "hub":
                grows = 0 if grows <= before * 3 // 10 else grows  # the hub weighs more, and owes it
            if falls > allowed or grows > allowed:
                return f"{name} was {before} and is {now}, {allowed} were allowed"
        return None

    def _sums(self) -> dict[str, int]:
        with self.node.disk.read() as tx:
            orders = [order for order in orders_of(tx, self.id) if order.state != "Cancelled"]  # nobody pays for others
            sums = {f"statement of {order.iri}": statement_of(order).total for order in orders}
            if self.liar == "farm":
                for owed in owed_at_session(tx, self.id, "hub-session"):
                    sums[f"books of {owed.supplier}"] = owed.total
                for account in supplier_accounts(tx, self.id, "hub-session"):
                    sums[f"to pay to {account.owed.supplier}"] = account.left
        return sums

    def _drawn(self) -> int:
        with self.node.disk.read() as tx:
            return int(tx.value(select(func.coalesce(func.sum(federation_allowance_draw.c.amount), 0))))


# ------------------------------------------------------------------------------------------------ what was before


def _confirmed(hub: Hub, items: list[str]) -> None:
    """Customers have ordered, the sale is over, and the farm has confirmed it."""


def _shortened(hub: Hub, items: list[str]) -> None:
    """The hub has said that it got another weight of the cheese, and the farm has taken that."""
    from commensal.orders.fulfil import weigh_order
    from commensal.orders.lock import locked_order

    with hub.write() as tx:
        placed = locked_order(tx, items[-1], enterprise_id="hub")
        weigh_order(
            tx, hub.instance.hooks, placed, {line.id: line.unit_quantity for line in placed.lines if line.weighed}
        )


HELD_BACK = "held back"  # the farm has confirmed one piece before the close, and not heard of the close yet
STAGES: Mapping[str, Callable[[Hub, list[str]], None]] = {
    "confirmed": _confirmed,
    "weighed": _shortened,
    HELD_BACK: _confirmed,
}


@cache
def images_of(stage: str) -> tuple[Mapping[str, bytes], Path]:
    """The disks of both, at this stage of one order, and the folder of their keys."""
    folder = Path(tempfile.mkdtemp(prefix="commensal-lies-"))
    nodes = {name: new_node(name, folder / name, BEGIN, f"{stage} {name}") for name in "ab"}
    wires = Wires()
    for node in nodes.values():
        node.load(template_of_disks())
        node.start(Wire(wires, node.base))
        begin_identity(node.federation)

    def due(instance: Instance) -> bool:
        return run_due(instance, next(node.work for node in nodes.values() if node.instance is instance))

    region = region_of([(node.name, node.instance) for node in nodes.values()], due)
    region.befriend("a", "b")
    farm, hub = farm_with_cheese(region, "a"), Hub(region, "b")
    farm.grant(hub)
    hub.sell(farm)
    products = [item.item_ids[0] for item in hub.received(farm)]
    placed = [
        hub.order(item, 3 + number, name).id
        for number, (item, name) in enumerate(zip(products, ("Ada", "Bea"), strict=True))
    ]
    _minutes(nodes, region, BEGIN + timedelta(minutes=1))
    if stage == HELD_BACK:
        choose(hub, "by hand")
        answer(farm, 1)
        region.cut("a", "b")
    _minutes(nodes, region, BEGIN + DAY + timedelta(hours=1))
    STAGES[stage](hub, placed)
    _minutes(nodes, region, BEGIN + DAY + timedelta(hours=1, minutes=2))
    images = {name: node.image() for name, node in nodes.items()}
    for node in nodes.values():
        node.instance.close()
    return images, folder


def _minutes(nodes: Mapping[str, Node], region: Region, begin: Any) -> None:
    for minute in range(2):
        for node in nodes.values():
            node.clock.set(begin + timedelta(minutes=minute))
            run_periodic(node.instance, node.work)
        region.work()


# ------------------------------------------------------------------------------------------------ campaigns


def tried(number: int, first_seed: int, plant: Plant = nullcontext) -> Tried:
    """Tries so many schedules, drawn from a seed; the first lie that is believed is made as small as possible."""
    for stage in STAGES:
        images_of(stage)  # without the bug
    outcome = Tried()

    @seed(first_seed)
    @settings(
        max_examples=number,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink) if plant is nullcontext else (Phase.generate,),
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def lies(data: st.DataObject) -> None:
        outcome.figures["schedules"] += 1
        schedule(data, outcome.figures)

    logging.disable(logging.CRITICAL)
    with plant(), structlog.testing.capture_logs():
        try:
            lies()
        except BelievedALie as error:
            outcome.wrong = str(error)
    return outcome


def _blocks(number: int, first: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, number, ROUND):
        yield min(ROUND, number - begin), first + begin


def _try_block(block: tuple[int, int]) -> Tried:
    """As text what cannot be tried: an exception that another process cannot read back leaves the pool waiting."""
    try:
        return tried(*block)
    except Exception:  # whatever it is, the campaign says it and fails
        return Tried(wrong=traceback.format_exc())


def main() -> None:
    number, first = int(os.environ.get("SCHEDULES", "10000")), int(os.environ.get("SEED") or random.randrange(10**6))
    started, wrong, figures = time.perf_counter(), 0, Counter[str]()

    def tell() -> None:  # also on the way, so that a run that is cut off can be quoted
        tried_so_far = f"{figures['schedules']} schedules, {figures['lies']} lies"
        print(f"SEED={first}: {tried_so_far} in {time.perf_counter() - started:.0f} s, {wrong} believed.", flush=True)

    workers = int(os.environ.get("WORKERS", "0")) or None
    with pool_of_processes(workers) as pool:
        waiting = {pool.submit(_try_block, block) for block in _blocks(number, first)}
        while waiting:
            done, waiting = wait(waiting, timeout=EVERY, return_when=FIRST_COMPLETED)
            for outcome in (future.result() for future in done):
                figures += outcome.figures
                wrong += bool(outcome.wrong)
                if outcome.wrong:
                    print(outcome.wrong, flush=True)
            tell()
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()


def planted_lies(name: str, number: int, first_seed: int) -> str:
    """What is believed with this bug in the code; empty: nothing."""
    from .mutants import planted

    return tried(number, first_seed, partial(planted, name)).wrong
