"""A producer opens one sale, and hubs elsewhere get it: as a proposal to accept, or by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from commensal.base.errors import Conflict
from commensal.trade.enterprises.tables import enterprise_plugin
from commensal.trade.sale_sessions.questions import sales
from commensal_federation.messages.bodies.proposals import ProposedSale
from commensal_federation.proposals.proposing import propose_sale, withdraw_sale
from commensal_federation.proposals.receiving import accept_sale, proposals_of, refuse_sale
from commensal_federation.testing import Region

from .conftest import NewRegion
from .trading import Hub, Producer, a_region, clock_of


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    return a_region(new_region, "ab")


@pytest.fixture
def hub(farm: Producer, hub: Hub) -> Hub:
    farm.grant(hub)
    hub.as_producer(farm)  # its catalog lists what the farm offers
    return hub


def propose(farm: Producer, *, sale: str | None = None, name: str = "Cherries", days: int = 1) -> str:
    now = clock_of(farm.region).now()
    times: dict[str, Any] = {
        "opens_at": now, "closes_at": now + timedelta(days=days), "begins_at": now + timedelta(days=days + 1),
        "ends_at": now + timedelta(days=days + 1, hours=2),
    }  # fmt: skip
    with farm.write() as tx:
        (one,) = propose_sale(farm.federation, tx, "farm", name=name, sale=sale, **times)
    farm.region.work()
    return one.iri


def the_proposal(hub: Hub) -> ProposedSale:
    with hub.read() as tx:
        (one,) = proposals_of(tx, "hub")
    return one


def on_sale(hub: Hub) -> list[str]:
    with hub.read() as tx:
        return sorted(one.session.name for one in sales(tx, openness="open"))


def test_a_hub_accepts_and_sells_with_its_own_catalogue(farm: Producer, hub: Hub) -> None:
    propose(farm)
    assert the_proposal(hub).state == "offered"
    with hub.write() as tx:
        accept_sale(hub.federation, tx, "hub", the_proposal(hub).id)
    farm.region.work()
    assert "Cherries" in on_sale(hub)
    with farm.read() as tx:
        assert [one.state for one in proposals_of(tx, "farm")] == ["accepted"]


def test_a_hub_that_said_so_gets_it_by_itself(farm: Producer, hub: Hub) -> None:
    with hub.write() as tx:
        tx.execute(
            update(enterprise_plugin)
            .where(enterprise_plugin.c.plugin == "federation")
            .values(settings={"accept_sales": True})
        )
    propose(farm)
    assert the_proposal(hub).state == "accepted"
    assert "Cherries" in on_sale(hub)


def test_a_hub_refuses(farm: Producer, hub: Hub) -> None:
    propose(farm)
    with hub.write() as tx:
        refuse_sale(hub.federation, tx, "hub", the_proposal(hub).id)
    farm.region.work()
    with farm.read() as tx:
        assert [one.state for one in proposals_of(tx, "farm")] == ["refused"]


def test_a_change_is_told_by_its_revision(farm: Producer, hub: Hub) -> None:
    sale = propose(farm)
    propose(farm, sale=sale, name="Cherries and plums", days=2)
    one = the_proposal(hub)
    assert (one.name, one.rev) == ("Cherries and plums", 2)


def test_what_was_withdrawn_cannot_be_accepted(farm: Producer, hub: Hub) -> None:
    sale = propose(farm)
    with farm.write() as tx:
        withdraw_sale(farm.federation, tx, "farm", sale)
    farm.region.work()
    with pytest.raises(Conflict), hub.write() as tx:
        accept_sale(hub.federation, tx, "hub", the_proposal(hub).id)


def test_times_that_cannot_be_are_refused(farm: Producer, hub: Hub) -> None:
    now = clock_of(farm.region).now()
    with pytest.raises(Conflict, match="in this order"), farm.write() as tx:
        propose_sale(farm.federation, tx, "farm", name="x", opens_at=now, closes_at=now, begins_at=now, ends_at=now)
