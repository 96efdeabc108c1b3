"""Two transactions that wait for each other: the database ends one, which is retried from its start."""

from __future__ import annotations

import itertools
import threading

from sqlalchemy import insert, select, text, update

from commensal.enterprises.tables import enterprise_counter
from commensal.storage.database import Store, Transaction
from commensal.testing.placed import a_shop

SERIES = ("first", "second")


def test_two_transactions_in_a_deadlock_both_commit(store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)
        for series in SERIES:
            tx.execute(insert(enterprise_counter).values(enterprise_id="shop", series=series, value=0))
    both_hold_one, tries = threading.Barrier(2), list[str]()

    def raise_both(order: tuple[str, ...]) -> None:
        attempts = itertools.count(1)

        def act(tx: Transaction) -> None:
            attempt = next(attempts)
            tries.append(order[0])
            if tx.postgresql:
                tx.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            for series in order:
                row = enterprise_counter.c
                tx.execute(update(enterprise_counter).where(row.series == series).values(value=row.value + 1))
                if tx.postgresql and series == order[0] and attempt == 1:
                    both_hold_one.wait(timeout=30)  # each holds what the other wants next

        store.transact(act)

    threads = [threading.Thread(target=raise_both, args=(order,)) for order in (SERIES, SERIES[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as tx:
        values = [row["value"] for row in tx.all(select(enterprise_counter.c.value))]
    assert values == [2, 2]
    if store.engine.dialect.name == "postgresql":
        assert len(tries) >= 3, "one of them lost, and tried again; it may lose more than once"
    else:
        assert len(tries) == 2
