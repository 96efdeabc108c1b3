"""A hub's books and its order at a platform are compared, and nobody is paid by a file while they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.orders.tables import order_line
from commensal.parts.serving.work import work_of
from commensal.parts.supply.books import payment_holds
from commensal.storage.jobs.periodic import tick
from commensal_federation.linked_catalogues.backorders.sums import recent_platform_differences
from commensal_federation.notices.tables import federation_notice
from commensal_federation.warnings import warnings

from .ordering import Buying, an_instance
from .portal import Portal


@pytest.fixture
def new_hub(tmp_path: Path, clock: ManualClock, sqlite_template: Path) -> Iterator[Callable[..., Buying]]:
    """Makes the hub, which sells all that the portal lists; and prices with VAT, or without."""
    hubs: list[Buying] = []

    def make(portal: Portal, **about: object) -> Buying:
        hub = Buying(an_instance(tmp_path, sqlite_template, clock, "http://hub.example", portal.host), clock, **about)
        hubs.append(hub)
        hub.link(portal.catalogue)
        return hub

    yield make
    for hub in hubs:
        hub.instance.close()


@pytest.fixture
def hub(new_hub: Callable[..., Buying], portal: Portal) -> Buying:
    return new_hub(portal)


def differences(hub: Buying) -> list[tuple[int, int]]:
    """What the books say, and what the order at the platform comes to, in cents."""
    with hub.instance.store.read() as tx:
        return [(each.books, each.statement) for each in recent_platform_differences(tx)]


def holds(hub: Buying) -> list[str]:
    """Why producers are paid by no file for the bank."""
    with hub.instance.store.read() as tx:
        return [str(problem) for problem in payment_holds(tx, hub.instance.hooks, "hub", "hub-session").values()]


@pytest.mark.parametrize("prices_include_vat", [True, False])
def test_sums_that_are_the_same_hold_nothing(
    new_hub: Callable[..., Buying], portal: Portal, prices_include_vat: bool
) -> None:
    """Pieces of cases with a rest, a line that the platform shortens, and one that nobody wants any more."""
    hub = new_hub(portal, prices_include_vat=prices_include_vat)
    hub.order({"Vinegar": 4, "Chia": 1})
    hub.order({"Vinegar": 3, "Beans": 6}, "Bea")
    portal.most = {"2": 5}
    hub.cancel(hub.order({"Chia": 2}, "Cem"))
    hub.minutes()
    hub.close()
    assert (differences(hub), holds(hub)) == ([], [])


def test_another_price_in_the_platforms_answer_holds_the_payment_until_it_is_put_right(
    hub: Buying, portal: Portal
) -> None:
    hub.order({"Beans": 3})
    portal.repriced = "3.10"
    hub.minutes()
    assert holds(hub) == [], "customers order still"
    hub.close()
    assert differences(hub) == [(750, 930)]
    (reason,) = holds(hub)
    assert "7.50 EUR" in reason
    assert "9.30 EUR" in reason
    assert "sums_differ" in [problem.code for problem in warnings(hub.instance)]
    portal.repriced = "2.50"
    hub.run(hours=1)
    hub.minutes()
    assert (differences(hub), holds(hub)) == ([], [])


def test_books_that_say_more_than_was_ordered_at_the_platform_are_held(hub: Buying, portal: Portal) -> None:
    hub.order({"Vinegar": 7})
    hub.close()
    assert holds(hub) == []
    with hub.instance.store.write() as tx:
        tx.execute(update(order_line).values(cost=1_000))  # as a mistake of some version would
    assert differences(hub) == [(7000, 2333)]
    assert len(holds(hub)) == 1


def test_the_people_who_pay_are_told_every_night(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.repriced = "3.10"
    hub.minutes()
    hub.close()
    with hub.instance.store.read() as tx:
        assert tx.value(select(federation_notice.c.kind)) is None
    tick(hub.instance, work_of(hub.instance))
    with hub.instance.store.read() as tx:
        assert [row["kind"] for row in tx.all(select(federation_notice.c.kind))] == ["platform_sums_differ"]


def test_a_sale_of_long_ago_is_not_compared_any_more(hub: Buying, portal: Portal) -> None:
    hub.order({"Beans": 3})
    portal.repriced = "3.10"
    hub.minutes()
    hub.close()
    hub.run(days=70)
    assert differences(hub) == []
