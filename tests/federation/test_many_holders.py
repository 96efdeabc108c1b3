"""What a request for goods costs their producer does not grow with the number of hubs to which they are lent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from commensal import Transaction
from commensal_federation.leases.recalling import obtainable
from commensal_federation.leases.row import lease_with, open_lease, set_lease

from .conftest import NewRegion
from .test_waiting_customers import cancel, refusal
from .trading import Hub, Producer, minutes, region_of_peers

BOTH = True  # databases
HELD = 3  # pieces that each further holder has idle


@contextmanager
def rows_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Counts the rows that transactions fetch."""
    counts: list[int] = []
    with monkeypatch.context() as patch:
        for name in ("all", "rows"):
            fetch = getattr(Transaction, name)

            def counted(tx: Transaction, *arguments: Any, _fetch: Any = fetch, **options: Any) -> Any:
                rows = _fetch(tx, *arguments, **options)
                counts.append(len(rows))
                return rows

            patch.setattr(Transaction, name, counted)
        yield counts


def further_holders(farm: Producer, numbers: range) -> None:
    """Lends to so many peers more, each of which has some idle."""
    with farm.write() as tx:
        for number in numbers:
            lease = open_lease(tx, "lender", f"peer-{number}", farm.id, farm.lot.id, f"{farm.iri}/lot")
            set_lease(tx, lease, granted=HELD)


def test_a_customers_order_reads_as_many_rows_at_the_producer_with_a_hundred_holders_as_with_ten(
    new_region: NewRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    region, rows, statements = region_of_peers(new_region, "ab"), [], []
    farm, hub = Producer(region, "a", on_hand="1000"), Hub(region, "b")
    farm.grant(hub)
    item, made = hub.sell(farm), 0
    hub.order(item, 1)
    for holders in (10, 100):
        further_holders(farm, range(made, holders))
        made = holders
        with rows_read(monkeypatch) as counts:
            assert refusal(hub, item, int(hub.lot(farm).free) + 2) == ""
        rows.append(sum(counts))
        statements.append(len(counts))
    assert rows[1] <= rows[0] + 10, f"{rows} rows with 10 and 100 holders"
    assert statements[1] <= statements[0] + 10, f"{statements} statements with 10 and 100 holders"


def test_a_customer_who_gets_what_is_called_back_reads_as_many_rows_with_a_hundred_holders_as_with_ten(
    new_region: NewRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    region, rows, statements = region_of_peers(new_region, "ab", "ac"), [], []
    farm, hub, idle = Producer(region, "a", on_hand="60"), Hub(region, "b"), Hub(region, "c", "idle")
    items = {}
    for each in (hub, idle):
        farm.grant(each)
        items[each.id] = each.sell(farm)
    cancel(idle, idle.order(items["idle"], 30).id)
    minutes(region)
    while left := int(hub.lot(farm).free + farm.lot.free):
        hub.order(items["hub"], min(left, 20))
    assert idle.lot(farm).free >= 4
    made = 0
    for holders in (10, 100):
        further_holders(farm, range(made, holders))
        made = holders
        with rows_read(monkeypatch) as counts:
            assert refusal(hub, items["hub"], 2) == ""
        rows.append(sum(counts))
        statements.append(len(counts))
    assert rows[1] <= rows[0] + 10, f"{rows} rows with 10 and 100 holders"
    assert statements[1] <= statements[0] + 10, f"{statements} statements with 10 and 100 holders"


def test_what_can_be_had_counts_what_idles_at_all_others(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ab")
    farm = Producer(region, "a", on_hand="1000")
    further_holders(farm, range(10))
    with farm.read() as tx:
        assert obtainable(tx, farm.lot) == 1000 + 10 * HELD
        assert obtainable(tx, farm.lot, but="peer-3") == 1000 + 9 * HELD
    with farm.write() as tx:
        lease = lease_with(tx, "lender", "peer-1", lot_id=farm.lot.id)
        assert lease is not None
        set_lease(tx, lease, ordered=HELD + 5)  # none idles, and nothing is taken off others
    with farm.read() as tx:
        assert obtainable(tx, farm.lot) == 1000 + 9 * HELD
