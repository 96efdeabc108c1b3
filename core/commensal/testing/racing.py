"""A process whose shoppers order concurrently: ``python -m commensal.testing.racing``, with a `Race` as a line of JSON.

It prints "ready", starts the shoppers when it reads another line, and prints the outcome of each: "placed", or the code
and the text of the refusal.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping

import msgspec
from sqlalchemy import select, update

from ..base.clock import SystemClock
from ..base.errors import Refused, SoldOut
from ..base.ids import RandomIds
from ..hooks.loading import load_plugins
from ..instance import InstanceSettings
from ..storage.database import Store, Transaction
from ..trade.orders import place
from ..trade.orders.values import Wish
from ..trade.stock.tables import stock_lot


class Race(msgspec.Struct):
    """`wishes`: for each shopper, the pieces of each item. `guarded` False disables the guard against overselling."""

    url: str
    session_id: str
    wishes: list[dict[str, int]]
    guarded: bool = True


def run(race: Race) -> list[str]:
    """Lets all shoppers order at once. Returns the outcome of each."""
    store = Store(race.url, clock=SystemClock(), ids=RandomIds())
    hooks = load_plugins(InstanceSettings(name="race"), clock=SystemClock())
    start, outcomes = threading.Barrier(len(race.wishes)), [""] * len(race.wishes)

    def shop(number: int, items: dict[str, int]) -> None:
        wish = Wish(items=items, name=f"Shopper {number}", email="shopper@example.org")
        start.wait()
        if not race.guarded:
            _look(store, number)
        try:
            with store.write() as tx:
                place.place_order(tx, hooks, race.session_id, wish)
            outcomes[number] = "placed"
        except SoldOut as refusal:
            outcomes[number] = f"sold_out: {refusal}"
        except Refused as refusal:
            outcomes[number] = f"{refusal.code}: {refusal}"
        except Exception as error:  # any error is an outcome, which the test checks
            outcomes[number] = f"error: {type(error).__name__}: {error}"

    threads = [threading.Thread(target=shop, args=numbered_wish) for numbered_wish in enumerate(race.wishes)]
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


def _believe(tx: Transaction, amounts: Mapping[str, int], *, order_id: str, person_id: str | None = None) -> None:
    """Takes stock by the levels that were read before: the fault that the guard prevents."""
    for lot_id, grains in amounts.items():
        remembered = _seen.levels[lot_id]
        if remembered["free"] < grains:
            raise SoldOut([])
        levels = {"free": remembered["free"] - grains, "reserved": remembered["reserved"] + grains}
        tx.execute(update(stock_lot).where(stock_lot.c.id == lot_id).values(levels))


def main() -> None:
    race = msgspec.json.decode(sys.stdin.readline(), type=Race)
    if not race.guarded:
        vars(place)["take_stock"] = _believe
    print("ready", flush=True)
    sys.stdin.readline()
    print(msgspec.json.encode(run(race)).decode(), flush=True)


if __name__ == "__main__":
    main()
