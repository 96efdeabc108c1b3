"""Customers of three serving instances, which are killed every few seconds. ``make race``.

    ORDERS=420 SEED=1 MINUTES=8 LINES=1 python -m tests.federation.race

With `LINES` the lines between them fail too; then customers are refused for good reasons, and no share is demanded.

Prints how much of the goods was sold, and how long after the last fault all agreed. Ends with 1 where an order that was
confirmed is not there exactly once, more was sold than there is, or less than `SOLD` of what was asked for and there.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from signal import SIGKILL
from typing import get_args

import httpx

from commensal.instance.instance import DATABASE
from commensal.parts.setup.begin import begin_instance
from commensal.stock.movements import receive_stock

from .living import NAMES, ON_HAND, ServingInstance, Trade, make_trade
from .proxy import Line, Proxy
from .trading import Producer

ORDERS, SEED = int(os.environ.get("ORDERS", "420")), int(os.environ.get("SEED", "1"))
MINUTES = float(os.environ.get("MINUTES", "8"))  # after which the faults end, whoever still wants to order
LINES = bool(os.environ.get("LINES"))
SOLD = 0.0 if LINES else 0.97  # of the pieces that customers wanted and that were there
SETTLED = 60.0  # seconds after the last fault
MOST = 3  # pieces of an order
TRIES = 4  # of a customer who is refused, a few seconds apart
_customers = count(1_000_000)


@dataclass
class Shop:
    """The customers of one instance, one after another."""

    instance: ServingInstance
    orders: Sequence[int]  # pieces of each
    refused: int = 0  # pieces

    def run(self, over: threading.Event) -> None:
        for pieces in self.orders:
            if not any(self._buy(pieces, over) for _ in range(TRIES)):
                self.refused += pieces

    def _buy(self, pieces: int, over: threading.Event) -> bool:
        """Sends one order until there is an answer, as a browser does. Returns whether it was confirmed."""
        number, deadline = next(_customers), time.monotonic() + 120
        while True:
            try:
                status = self.instance.order(pieces, number=number)
            except httpx.HTTPError:
                status = 503  # it is being killed, or starts
            if status in (201, 409):
                over.wait(0.2 if status == 201 else 2)
                return status == 201
            assert time.monotonic() < deadline, f"{self.instance.place.id} gave no answer in two minutes: {status}"
            over.wait(0.5)


def main() -> int:
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="commensal-race-") as name, ExitStack() as stack:
        lines = [stack.enter_context(Proxy()) for _ in NAMES]
        trade = _trade(Path(name), lines)
        stack.callback(_close, trade)
        trade.open()
        shops = [
            Shop(instance, [chance.randint(1, MOST) for _ in range(ORDERS // len(NAMES))]) for instance in trade.all
        ]
        ordered = sum(sum(shop.orders) for shop in shops)
        on_hand = _bring(trade, ordered * 9 // 10)
        started, kills = time.monotonic(), _race(trade, shops, lines, chance)
        ended = time.monotonic()
        _settle(trade)
        settled = time.monotonic() - ended
        sold = sum(instance.ordered for instance in trade.all)
        share = sold / min(on_hand, sold + sum(shop.refused for shop in shops))
        print(
            f"seed {SEED}: {ORDERS} orders of {ordered} pieces in {ended - started:.0f} s, {kills} kills; sold {sold} "
            f"of {on_hand}, {share:.1%} of what was wanted and there; all agreed {settled:.0f} s after the last fault"
        )
        return int(share < SOLD or settled > SETTLED)


def _race(trade: Trade, shops: Sequence[Shop], lines: Sequence[Proxy], chance: random.Random) -> int:
    """Lets all customers order while faults happen. Returns the number of kills."""
    over, kills, deadline = threading.Event(), 0, time.monotonic() + MINUTES * 60
    with ThreadPoolExecutor(len(shops)) as pool:
        buying = [pool.submit(shop.run, over) for shop in shops]
        while not all(future.done() for future in buying) and time.monotonic() < deadline:
            for line in lines if LINES else ():
                line.set(chance.choice(("open", "open", *get_args(Line))))
            over.wait(chance.uniform(2, 7))
            victim = chance.choice(trade.all)
            victim.end(SIGKILL)
            victim.begin()
            victim.wait()
            kills += 1
        for line in lines:
            line.set("open")
        over.set()
        for future in buying:
            future.result()
    return kills


def _settle(trade: Trade) -> None:
    """Waits until each confirmed order is there once, and each piece is counted once.

    What was asked for a customer who has left comes back some seconds later, so all may agree before that.
    """
    deadline = time.monotonic() + 2 * SETTLED
    while True:
        try:
            trade.agree()
            return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        threading.Event().wait(1)


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
    template = folder / "template" / DATABASE
    urls = [f"http://127.0.0.1:{line.port}" for line in lines]
    trade = make_trade([folder / name for name in NAMES], template, urls, "127.0.0.1", "127.0.0.0/8")
    for instance, line in zip(trade.all, lines, strict=True):
        instance.began = line.lead_to
    return trade


def _close(trade: Trade) -> None:
    for instance in trade.all:
        instance.end()
    for instance in trade.all:
        instance.place.instance.close()


if __name__ == "__main__":
    sys.exit(main())
