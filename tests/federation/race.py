"""Customers of four serving instances, one of them behind a reseller, which are killed every few seconds.

    make race ORDERS=420 SEED=1 MINUTES=8 FAULTS=kills,lines,clocks

A fault of a line lasts until the next kill; of a clock, which is minutes wrong, until its instance is killed again.
Nothing ends claims, retries or pauses by hand.

Prints which share of what customers wanted and what was there was sold, at all and at the first try; why the others
were refused; and how long after the last fault all agreed. Ends with 1 where a share is missed, and with an error where
an order that was confirmed is not there exactly once, or more was sold than there is.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from signal import SIGKILL
from typing import Any, get_args

import httpx

from commensal.instance.instance import DATABASE
from commensal.parts.setup.begin import begin_instance
from commensal.stock.lots import lots_by_id
from commensal.stock.movements import receive_stock

from .agreement import violations_of
from .living import BEHIND, NAMES, ON_HAND, ServingInstance, Trade, make_trade
from .proxy import Line, Proxy
from .trading import Producer

SOLD, AT_ONCE = 0.99, 0.97  # of the pieces that customers wanted and that were there: at all, and at the first try
SETTLED = 30.0  # seconds after the last fault
GIVEN_UP = 120.0
MOST = 3  # pieces of an order
TRIES = 4  # of a customer who is refused, some seconds apart
_WRONG = (0, 0, 0, 0, -240, 150, 300)  # seconds of a clock
_customers = count(1_000_000)


@dataclass
class Faults:
    """What is wrong at the moment. `kinds` are those that happen: kills, lines, clocks."""

    trade: Trade
    lines: Sequence[Proxy]
    chance: random.Random
    kinds: Sequence[str]
    kills: int = 0
    down: str = ""
    bad: dict[str, str] = field(default_factory=dict)  # lines by the name of the instance to which they lead

    def happen(self, over: threading.Event) -> None:
        """Some seconds with bad lines, then a kill; returns when the victim serves again."""
        if "lines" in self.kinds:
            for instance, line in zip(self.trade.all, self.lines, strict=True):
                self._set(instance, line, self.chance.choice(("open", "open", *get_args(Line))))
        over.wait(self.chance.uniform(2, 7))
        if "kills" in self.kinds:
            clock = self.chance.choice(_WRONG) if "clocks" in self.kinds else 0
            self._kill(self.chance.choice(self.trade.all), clock)

    def end(self) -> None:
        """The lines are good again, and the clocks right."""
        for instance, line in zip(self.trade.all, self.lines, strict=True):
            self._set(instance, line, "open")
        for instance in self.trade.all:
            if instance.clock:
                self._kill(instance, 0)

    def told(self) -> str:
        wrong = [f"clock of {instance.place.at}" for instance in self.trade.all if instance.clock]
        return ", ".join([*([f"{self.down} down"] if self.down else []), *wrong, *self.bad.values()]) or "nothing wrong"

    def _set(self, instance: ServingInstance, proxy: Proxy, line: Line) -> None:
        proxy.set(line)
        self.bad.pop(instance.place.at, None)
        if line != "open":
            self.bad[instance.place.at] = f"line to {instance.place.at} {line}"

    def _kill(self, victim: ServingInstance, clock: int) -> None:
        self.down = victim.place.at
        victim.end(SIGKILL)
        victim.clock = clock
        victim.begin()
        victim.wait()
        self.down, self.kills = "", self.kills + 1


@dataclass
class Shop:
    """The customers of one instance, one after another."""

    instance: ServingInstance
    orders: Sequence[int]  # pieces of each
    faults: Faults
    wanted: int = 0  # pieces, of the customers who have come
    at_once: int = 0  # pieces
    refused: int = 0  # pieces
    why: Counter[str] = field(default_factory=Counter)  # pieces that were refused at last

    def run(self, over: threading.Event) -> None:
        """Serves the customers who come before the faults are over."""
        for pieces in self.orders:
            if over.is_set():
                return
            self.wanted += pieces
            refusals: list[str] = []
            while len(refusals) < TRIES and (why := self._buy(pieces, over)):
                refusals.append(why)
            if not refusals:
                self.at_once += pieces
            elif len(refusals) == TRIES:
                self.refused += pieces
                self.why[refusals[-1]] += pieces

    def _buy(self, pieces: int, over: threading.Event) -> str:
        """Sends one order until there is an answer, as a browser does. Returns why it is refused; "" if it is not."""
        number, deadline = next(_customers), time.monotonic() + 120
        while True:
            status = 503  # it is being killed, or starts
            with suppress(httpx.HTTPError):
                answer = self.instance.ask(pieces, number)
                status = answer.status_code
            if status in (201, 409):
                why = "" if status == 201 else self._reason(answer.json()["code"])
                time.sleep(0.2 if status == 201 else 4)
                return why
            assert time.monotonic() < deadline, f"{self.instance.place.id} gave no answer in two minutes: {status}"
            time.sleep(0.5)

    def _reason(self, code: str) -> str:
        """The code of the refusal, how much was idle elsewhere in that moment, and what was wrong."""
        others = [each for each in self.faults.trade.all if each is not self.instance]
        idle = sum(_free(self.faults.trade, each) for each in others)
        return f"{self.instance.place.at}: {code}, {'some' if idle else 'nothing'} idle elsewhere; {self.faults.told()}"


@dataclass
class Figures:
    orders: int
    wanted: int  # pieces
    on_hand: int
    sold: int
    at_once: int
    refused: int
    kills: int
    seconds: float
    settled: float  # seconds; `GIVEN_UP` and more: they do not agree
    last: str  # what differed for longest
    why: Counter[str]

    @property
    def there(self) -> int:
        """Pieces that were wanted and there."""
        return min(self.on_hand, self.sold + self.refused)

    @property
    def reached(self) -> bool:
        return self.sold >= SOLD * self.there and self.at_once >= AT_ONCE * self.there and self.settled <= SETTLED

    def __str__(self) -> str:
        shares = f"{self.sold / self.there:.1%} of what was wanted and there, {self.at_once / self.there:.1%} at once"
        reasons = "".join(f"\n  {pieces} pieces refused at {why}" for why, pieces in self.why.most_common(25))
        agreed = "all agreed" if self.settled < GIVEN_UP else "they did not agree"
        agreed += f" {self.settled:.0f} s after the last fault (last: {self.last})"
        return (
            f"{self.orders} orders of {self.wanted} pieces in {self.seconds:.0f} s, {self.kills} kills; "
            f"sold {self.sold} of {self.on_hand}, {shares}; {agreed}{reasons}"
        )


def race(folder: Path, *, orders: int, seed: int, minutes: float, kinds: Sequence[str]) -> Figures:
    """Lets customers order while faults happen, and waits until all agree. Raises `AssertionError` where an order or a
    piece is lost or there twice."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        lines = [stack.enter_context(Proxy()) for _ in (*NAMES, BEHIND)]
        trade = _trade(folder, lines)
        stack.callback(_close, trade)
        trade.open()
        faults = Faults(trade, lines, chance, kinds)
        each = orders // len(trade.all)
        shops = [Shop(instance, [chance.randint(1, MOST) for _ in range(each)], faults) for instance in trade.all]
        before = sum(instance.ordered for instance in trade.all)
        on_hand = _bring(trade, sum(sum(shop.orders) for shop in shops) * 9 // 10) - before
        started = time.monotonic()
        _run(shops, faults, minutes)
        ended = time.monotonic()
        last = _settle(trade)
        return Figures(
            orders=orders,
            wanted=sum(shop.wanted for shop in shops),
            on_hand=on_hand,
            sold=sum(instance.ordered for instance in trade.all) - before,
            at_once=sum(shop.at_once for shop in shops),
            refused=sum(shop.refused for shop in shops),
            kills=faults.kills,
            seconds=ended - started,
            settled=time.monotonic() - ended,
            last=last,
            why=sum((shop.why for shop in shops), Counter()),
        )


def _run(shops: Sequence[Shop], faults: Faults, minutes: float) -> None:
    over, deadline = threading.Event(), time.monotonic() + minutes * 60
    with ThreadPoolExecutor(len(shops)) as pool:
        buying = [pool.submit(shop.run, over) for shop in shops]
        while not all(future.done() for future in buying) and time.monotonic() < deadline:
            faults.happen(over)
        over.set()
        faults.end()
        for future in buying:
            future.result()


def _settle(trade: Trade) -> str:
    """Waits until all agree, and checks that each confirmed order is there once and each piece is counted once. Returns
    what differed at last.

    What was asked for a customer who has left comes back some seconds later, so all may agree before that.
    """
    deadline, last = time.monotonic() + GIVEN_UP, "nothing"
    while (differing := trade.differences()) and time.monotonic() < deadline:
        last = differing[0]
        time.sleep(0.5)
    if differing:  # what is under way is counted nowhere
        assert violations_of(*(instance.place for instance in trade.all)) == []
        assert sum(_free(trade, each) + each.ordered for each in trade.all) <= trade.on_hand
    else:
        trade.check()
    return last


def _free(trade: Trade, instance: ServingInstance) -> int:
    farm, place = trade.farm.place, instance.place
    assert isinstance(farm, Producer)
    lot: Any = farm.lot if place is farm else _lot_of(place)
    return int(lot.free)


def _lot_of(place: Any) -> Any:
    (lease,) = place.leases()
    with place.read() as tx:
        return lots_by_id(tx, [lease.lot_id])[lease.lot_id]


def _bring(trade: Trade, pieces: int) -> int:
    """The farm brings what is missing to so many pieces that may be sold. Returns how many there are in all."""
    farm = trade.farm.place
    assert isinstance(farm, Producer)
    new = max(0, pieces - ON_HAND)
    with farm.write() as tx:
        receive_stock(tx, farm.id, farm.lot.id, Decimal(new))
    trade.on_hand += new
    return trade.on_hand


def _trade(folder: Path, lines: Sequence[Proxy]) -> Trade:
    begin_instance(folder / "template", name="Template", plugins=("federation",))
    template, urls = folder / "template" / DATABASE, [f"http://127.0.0.1:{line.port}" for line in lines]
    folders = [folder / name for name in (*NAMES, BEHIND)]
    trade = make_trade(folders, template, urls, "127.0.0.1", "127.0.0.0/8")
    for instance, line in zip(trade.all, lines, strict=True):
        instance.began, instance.clock = line.lead_to, 0
    return trade


def _close(trade: Trade) -> None:
    for instance in trade.all:
        instance.end()
    for instance in trade.all:
        instance.place.instance.close()


if __name__ == "__main__":
    named = os.environ.get
    with tempfile.TemporaryDirectory(prefix="commensal-race-") as name:
        figures = race(
            Path(name),
            orders=int(named("ORDERS", "420")),
            seed=int(named("SEED", "1")),
            minutes=float(named("MINUTES", "8")),
            kinds=named("FAULTS", "kills,lines,clocks").split(","),
        )
    print(f"seed {named('SEED', '1')}, {named('FAULTS', 'kills,lines,clocks')}: {figures}")
    sys.exit(not figures.reached)
