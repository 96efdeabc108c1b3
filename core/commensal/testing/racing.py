"""Processes whose shoppers order concurrently: ``python -m commensal.testing.racing`` reads a `Race` from each line.

For each race, which is JSON, it forks processes that share the shoppers, and prints the outcome of each shopper in a
line of JSON: "placed", or the code and the text of the refusal. A fork has imported everything already.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

import msgspec
from sqlalchemy import select, update

from ..base.clock import SystemClock
from ..base.errors import Refused, SoldOut
from ..base.ids import RandomIds
from ..hooks.loading import load_plugins
from ..instance import InstanceSettings
from ..orders import place
from ..orders.values import Wish
from ..stock.tables import stock_lot
from ..storage.database import Store, Transaction


class Race(msgspec.Struct):
    """`wishes`: for each shopper, the pieces of each item. `guarded` False disables the guard against overselling."""

    url: str
    session_id: str
    wishes: list[dict[str, int]]
    guarded: bool = True
    processes: int = 4


_PATIENCE = 60.0  # seconds that processes wait for each other
_race: Race  # of a fork, with the moment at which the shoppers of all forks start
_start: Barrier


def run(race: Race) -> list[str]:
    """Lets all shoppers order at once, an equal share of them in each process. Returns the outcome of each."""
    fork = get_context("fork")
    start, share = fork.Barrier(race.processes, timeout=_PATIENCE), len(race.wishes) // race.processes
    wishes = [race.wishes[first : first + share] for first in range(0, len(race.wishes), share)]
    with fork.Pool(race.processes, _enter, (race, start)) as pool:
        return [outcome for outcomes in pool.map(_order, wishes, chunksize=1) for outcome in outcomes]


def _enter(race: Race, start: Barrier) -> None:
    """Prepares a process of the race."""
    global _race, _start
    _race, _start = race, start
    if not race.guarded:
        vars(place)["take_stock"] = _believe


def _await_others() -> None:
    _start.wait()


def _order(wishes: list[dict[str, int]]) -> list[str]:
    """Lets the shoppers of one process order at once, when those of all others are there too."""
    store = Store(_race.url, clock=SystemClock(), ids=RandomIds())
    hooks = load_plugins(InstanceSettings(name="race"), clock=SystemClock())
    together, outcomes = threading.Barrier(len(wishes), _await_others), [""] * len(wishes)

    def shop(number: int, items: dict[str, int]) -> None:
        wish = Wish(items=items, name=f"Shopper {number}", email="shopper@example.org")
        together.wait()
        if not _race.guarded:
            _look(store, number)
        try:
            with store.write() as tx:
                place.place_order(tx, hooks, _race.session_id, wish)
            outcomes[number] = "placed"
        except SoldOut as refusal:
            outcomes[number] = f"sold_out: {refusal}"
        except Refused as refusal:
            outcomes[number] = f"{refusal.code}: {refusal}"
        except Exception as error:  # any error is an outcome, which the test checks
            outcomes[number] = f"error: {type(error).__name__}: {error}"

    threads = [threading.Thread(target=shop, args=numbered_wish) for numbered_wish in enumerate(wishes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    return outcomes


_seen = threading.local()


def _look(store: Store, number: int) -> None:
    """Reads the stock before the order, as a program without the guard would."""
    with store.read() as tx:
        _seen.levels = {row["id"]: dict(row) for row in tx.all(select(stock_lot))}


def _believe(
    tx: Transaction, amounts: Mapping[str, int], *, order_id: str, person_id: str | None = None
) -> Sequence[str]:
    """Takes stock by the levels that were read before: the fault that the guard prevents."""
    for lot_id, grains in amounts.items():
        remembered = _seen.levels[lot_id]
        if remembered["free"] < grains:
            raise SoldOut([])
        levels = {"free": remembered["free"] - grains, "reserved": remembered["reserved"] + grains}
        tx.execute(update(stock_lot).where(stock_lot.c.id == lot_id).values(levels))
    return ()


def main() -> None:
    for line in sys.stdin:
        print(msgspec.json.encode(run(msgspec.json.decode(line, type=Race))).decode(), flush=True)


if __name__ == "__main__":
    main()
