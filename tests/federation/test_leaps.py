"""A number of a peer that is far ahead of the last one is refused, and what follows with the right number counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Table, select, update

from commensal.catalogs import hide_items, show_items
from commensal.catalogs.offers import set_price
from commensal.parts.sale_calendar.absences import absences_of, add_absence
from commensal_federation.catalogue.tables import federation_absences, federation_item
from commensal_federation.grants.questions import mirror_of
from commensal_federation.grants.tables import federation_lease, federation_told
from commensal_federation.leases.lender import force_return
from commensal_federation.proposals.proposing import propose_sale
from commensal_federation.proposals.receiving import proposals_of
from commensal_federation.proposals.tables import federation_sale

from .trading import Hub, Producer, clock_of, minutes

PEERS = ("ab",)
FAR = 2**40  # as a second by the clock, in 36,800 years


class Numbered(NamedTuple):
    """Something that a producer tells by numbers, each time another one.

    table, number: where its instance counts them
    """

    table: Table
    number: str
    tell: Callable[[Producer, int], None]
    heard: Callable[[Producer, Hub], object]


def _tell_price(farm: Producer, step: int) -> None:
    with farm.write() as tx:
        set_price(tx, "farm", farm.item, 2000 + step)


def _price(farm: Producer, hub: Hub) -> object:
    with hub.read() as tx:
        return tx.value(select(federation_item.c.price))


def _withdraw(farm: Producer, step: int) -> None:
    """Sells its apples again, and no more."""
    with farm.write() as tx:
        show_items(tx, "farm", [farm.item])
    farm.region.work()
    if step:
        with farm.write() as tx:
            hide_items(tx, "farm", [farm.item])


def _is_withdrawn(farm: Producer, hub: Hub) -> object:
    with hub.read() as tx:
        return tx.value(select(federation_item.c.gone_at)) is not None


def _tell_absence(farm: Producer, step: int) -> None:
    day = (clock_of(farm.region).now() + timedelta(days=10 + 10 * step)).date()
    with farm.write() as tx:
        add_absence(tx, "farm", day, day)


def _absences(farm: Producer, hub: Hub) -> object:
    with hub.read() as tx:
        return len(absences_of(tx, mirror_of(tx, farm.iri)))


def _propose(farm: Producer, step: int) -> None:
    now = clock_of(farm.region).now()
    times: dict[str, Any] = {
        "opens_at": now,
        "closes_at": now + timedelta(days=1),
        "begins_at": now + timedelta(days=2),
        "ends_at": now + timedelta(days=2, hours=2),
    }
    with farm.write() as tx:
        proposed = proposals_of(tx, "farm")
        sale = proposed[0].iri if proposed else None
        propose_sale(farm.federation, tx, "farm", name=f"Cherries {step}", sale=sale, **times)


def _sale(farm: Producer, hub: Hub) -> object:
    with hub.read() as tx:
        return [proposal.name for proposal in proposals_of(tx, "hub")]


def _take_back(farm: Producer, step: int) -> None:
    if not step:
        return
    with farm.write() as tx:
        force_return(farm.federation, tx, farm.leases()[0].id)


def _epoch(farm: Producer, hub: Hub) -> object:
    return hub.leases()[0].epoch


NUMBERS = {
    "the revision of an item": Numbered(federation_told, "rev", _tell_price, _price),
    "the revision of one that is withdrawn": Numbered(federation_told, "rev", _withdraw, _is_withdrawn),
    "an absence": Numbered(federation_absences, "rev", _tell_absence, _absences),
    "a proposed sale": Numbered(federation_sale, "rev", _propose, _sale),
    "the epoch of a lease": Numbered(federation_lease, "epoch", _take_back, _epoch),
}


@pytest.mark.parametrize("numbered", NUMBERS.values(), ids=NUMBERS)
def test_a_number_far_ahead_is_refused_and_the_next_one_counts(farm: Producer, hub: Hub, numbered: Numbered) -> None:
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)
    minutes(farm.region)
    numbered.tell(farm, 0)
    farm.region.work()
    column = numbered.table.c[numbered.number]
    with farm.write() as tx:
        right = tx.value(select(column))
        tx.execute(update(numbered.table).values({column.name: FAR}))
    before = numbered.heard(farm, hub)
    numbered.tell(farm, 1)
    farm.region.work()
    assert numbered.heard(farm, hub) == before
    with farm.write() as tx:
        tx.execute(update(numbered.table).values({column.name: right + 1}))
    numbered.tell(farm, 2)
    farm.region.work()
    assert numbered.heard(farm, hub) != before
