"""A process of shoppers who all order at once: ``python -m commensal.testing.racing`` with a `Race` as JSON on a line.

It says "ready" when its shoppers stand at the line, starts them when it is sent another line, and answers with what
became of each: "placed", or the code of the refusal with what it said.
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
    """`wishes`: for each shopper, the pieces of each item. `guarded` False takes the guard of the stock out."""

    url: str
    session_id: str
    wishes: list[dict[str, int]]
    guarded: bool = True


def run(race: Race) -> list[str]:
    """Lets all shoppers go at once and returns what became of each."""
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
        except SoldOut as refused:
            outcomes[number] = f"sold_out: {refused}"
        except Refused as refused:
            outcomes[number] = f"{refused.code}: {refused}"
        except Exception as error:  # the race reports whatever went wrong: no error must come out of it
            outcomes[number] = f"error: {type(error).__name__}: {error}"

    threads = [threading.Thread(target=shop, args=one) for one in enumerate(race.wishes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    return outcomes


_seen = threading.local()


def _look(store: Store, number: int) -> None:
    """What a program without a guard does: it looks at the stock first …"""
    with store.read() as tx:
        _seen.levels = {row["id"]: dict(row) for row in tx.all(select(stock_lot))}


def _believe(tx: Transaction, wanted: Mapping[str, int], *, order_id: str, person_id: str | None = None) -> None:
    """… and believes later what it saw. This is the fault that the guard is there to prevent."""
    for lot_id, grains in wanted.items():
        seen = _seen.levels[lot_id]
        if seen["free"] < grains:
            raise SoldOut([])
        levels = {"free": seen["free"] - grains, "reserved": seen["reserved"] + grains}
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
