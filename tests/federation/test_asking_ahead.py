"""A hub requests units before customers need them: when a sale is about to open, and after what it sold lately."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from commensal.sale_sessions.tables import sale_session

from .trading import Hub, Producer, assert_consistent, clock_of, minutes

PEERS = ("ab",)


@pytest.fixture
def hub(farm: Producer, hub: Hub) -> Hub:
    farm.grant(hub)
    return hub


def open_sale_in(hub: Hub, minutes: int) -> None:
    with hub.write() as tx:
        opens_at = tx.now + timedelta(minutes=minutes)
        tx.execute(update(sale_session).where(sale_session.c.id == "hub-session").values(opens_at=opens_at))


def lent_units(farm: Producer) -> Decimal:
    return sum((lease.granted - lease.returned for lease in farm.leases()), Decimal(0))


def test_a_tenth_is_there_before_the_sale_opens_and_nothing_long_before(farm: Producer, hub: Hub) -> None:
    open_sale_in(hub, 90)
    hub.sell(farm)
    minutes(farm.region, 5)
    assert lent_units(farm) == 0
    clock_of(farm.region).advance(minutes=30)
    minutes(farm.region, 2)
    assert lent_units(farm) == 10
    assert_consistent(farm.region)


def test_the_first_customer_is_served_although_the_link_went_down_just_before(farm: Producer, hub: Hub) -> None:
    open_sale_in(hub, 30)
    item = hub.sell(farm)
    minutes(farm.region, 2)
    farm.region.cut("a", "b")
    clock_of(farm.region).advance(minutes=30)
    assert hub.order(item, 10).lines[0].quantity == 10
    farm.region.mend()
    minutes(farm.region, 20)
    assert farm.leases()[0].sold + farm.leases()[0].held >= 10
    assert_consistent(farm.region)


def test_what_went_lately_is_asked_for_again_before_it_is_missing(farm: Producer, hub: Hub) -> None:
    item = hub.sell(farm)
    minutes(farm.region)
    hub.order(item, 30)
    minutes(farm.region, 15)
    assert hub.lot(farm).free >= 30
    assert_consistent(farm.region)
