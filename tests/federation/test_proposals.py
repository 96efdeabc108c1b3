"""A producer opens one sale, and hubs elsewhere receive it as a proposal or automatically."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from commensal.base.errors import Conflict
from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.sale_sessions.questions import sales
from commensal.sale_sessions.sessions import change_session
from commensal.sale_sessions.tables import session_item
from commensal.sale_sessions.values import Sale
from commensal_federation.delivery.alerts import alerts
from commensal_federation.messages.proposals import ProposedSale
from commensal_federation.proposals.proposing import propose_sale, withdraw_sale
from commensal_federation.proposals.receiving import accept_sale, proposals_of, refuse_sale

from .trading import Hub, Producer, clock_of

PEERS = ("ab",)


@pytest.fixture
def hub(farm: Producer, hub: Hub) -> Hub:
    farm.grant(hub)
    hub.as_producer(farm)  # its catalog lists what the farm offers
    return hub


def propose(farm: Producer, *, sale: str | None = None, name: str = "Cherries", days: int = 1) -> str:
    now = clock_of(farm.region).now()
    times: dict[str, Any] = {
        "opens_at": now,
        "closes_at": now + timedelta(days=days),
        "begins_at": now + timedelta(days=days + 1),
        "ends_at": now + timedelta(days=days + 1, hours=2),
    }
    with farm.write() as tx:
        (proposed,) = propose_sale(farm.federation, tx, "farm", name=name, sale=sale, **times)
    farm.region.work()
    return proposed.iri


def only_proposal(hub: Hub) -> ProposedSale:
    with hub.read() as tx:
        (proposal,) = proposals_of(tx, "hub")
    return proposal


def on_sale(hub: Hub) -> list[str]:
    with hub.read() as tx:
        return sorted(sale.session.name for sale in sales(tx, openness="open"))


def test_a_hub_accepts_and_sells_with_its_own_catalogue(farm: Producer, hub: Hub) -> None:
    propose(farm)
    assert only_proposal(hub).state == "offered"
    with hub.write() as tx:
        accept_sale(hub.federation, tx, "hub", only_proposal(hub).id)
    farm.region.work()
    assert "Cherries" in on_sale(hub)
    with farm.read() as tx:
        assert [proposal.state for proposal in proposals_of(tx, "farm")] == ["accepted"]


def test_a_hub_that_said_so_gets_it_by_itself(farm: Producer, hub: Hub) -> None:
    with hub.write() as tx:
        tx.execute(
            update(enterprise_plugin)
            .where(enterprise_plugin.c.plugin == "federation")
            .values(settings={"accept_sales": True})
        )
    propose(farm)
    assert only_proposal(hub).state == "accepted"
    assert "Cherries" in on_sale(hub)


@pytest.fixture
def automatic_hub(hub: Hub) -> Hub:
    with hub.write() as tx:
        of_federation = enterprise_plugin.c.plugin == "federation"
        tx.execute(update(enterprise_plugin).where(of_federation).values(settings={"accept_sales": True}))
    return hub


def sale_named(hub: Hub, name: str) -> Sale:
    with hub.read() as tx:
        (sale,) = [sale for sale in sales(tx, openness="both", shop_id="hub") if sale.session.name == name]
    return sale


def alert_texts(hub: Hub) -> list[str]:
    with hub.read() as tx:
        return [alert.text for alert in alerts(tx) if alert.kind == "sale"]


def order_at(hub: Hub, sale: Sale) -> None:
    with hub.read() as tx:
        item = tx.value(select(session_item.c.item_id).where(session_item.c.session_id == sale.session.id))
    wish = Wish(items={item: 1}, name="Ada", email="ada@example.org")
    hub.instance.transact(lambda tx: place_order(tx, hub.instance.hooks, sale.session.id, wish))
    hub.region.work()


def test_a_hub_that_accepts_sales_automatically_follows_a_changed_one(farm: Producer, automatic_hub: Hub) -> None:
    iri = propose(farm)
    propose(farm, sale=iri, name="Cherries and plums", days=3)
    proposal, sale = only_proposal(automatic_hub), sale_named(automatic_hub, "Cherries and plums")
    assert sale.session.closes_at == proposal.closes_at
    assert (sale.session.begins_at, sale.session.ends_at) == (proposal.begins_at, proposal.ends_at)
    assert alert_texts(automatic_hub) == []


def test_a_withdrawn_sale_without_orders_is_cancelled_automatically(farm: Producer, automatic_hub: Hub) -> None:
    iri = propose(farm)
    with farm.write() as tx:
        withdraw_sale(farm.federation, tx, "farm", iri)
    farm.region.work()
    assert only_proposal(automatic_hub).state == "withdrawn"
    assert "Cherries" not in on_sale(automatic_hub)


def test_another_distribution_than_customers_ordered_for_waits_for_people(farm: Producer, automatic_hub: Hub) -> None:
    iri = propose(farm)
    sale_before = sale_named(automatic_hub, "Cherries")
    order_at(automatic_hub, sale_before)
    propose(farm, sale=iri, days=3)
    assert sale_named(automatic_hub, "Cherries").session.begins_at == sale_before.session.begins_at
    (text,) = alert_texts(automatic_hub)
    assert "Customers have ordered for the distribution that was announced." in text
    with farm.write() as tx:
        withdraw_sale(farm.federation, tx, "farm", iri)
    farm.region.work()
    assert only_proposal(automatic_hub).state == "accepted"
    assert "Cherries" in on_sale(automatic_hub)


def test_a_sale_that_the_hub_has_changed_itself_does_not_follow(farm: Producer, automatic_hub: Hub) -> None:
    iri = propose(farm)
    session = sale_named(automatic_hub, "Cherries").session
    with automatic_hub.write() as tx:
        change_session(
            tx,
            automatic_hub.instance.hooks,
            session.id,
            "hub",
            session.version,
            ends_at=session.ends_at + timedelta(hours=1),
        )
    propose(farm, sale=iri, days=3)
    assert sale_named(automatic_hub, "Cherries").session.begins_at == session.begins_at
    assert "The hub has changed its sale itself." in alert_texts(automatic_hub)[0]


def test_a_changed_sale_waits_for_people_where_they_accept_by_hand(farm: Producer, hub: Hub) -> None:
    iri = propose(farm)
    with hub.write() as tx:
        accept_sale(hub.federation, tx, "hub", only_proposal(hub).id)
    sale_before = sale_named(hub, "Cherries")
    propose(farm, sale=iri, days=3)
    assert sale_named(hub, "Cherries").session.closes_at == sale_before.session.closes_at
    assert len(alert_texts(hub)) == 1


def test_a_hub_refuses(farm: Producer, hub: Hub) -> None:
    propose(farm)
    with hub.write() as tx:
        refuse_sale(hub.federation, tx, "hub", only_proposal(hub).id)
    farm.region.work()
    with farm.read() as tx:
        assert [proposal.state for proposal in proposals_of(tx, "farm")] == ["refused"]


def test_a_change_is_told_by_its_revision(farm: Producer, hub: Hub) -> None:
    sale = propose(farm)
    propose(farm, sale=sale, name="Cherries and plums", days=2)
    proposal = only_proposal(hub)
    assert (proposal.name, proposal.rev) == ("Cherries and plums", 2)


def test_what_was_withdrawn_cannot_be_accepted(farm: Producer, hub: Hub) -> None:
    sale = propose(farm)
    with farm.write() as tx:
        withdraw_sale(farm.federation, tx, "farm", sale)
    farm.region.work()
    with pytest.raises(Conflict), hub.write() as tx:
        accept_sale(hub.federation, tx, "hub", only_proposal(hub).id)


def test_times_that_cannot_be_are_refused(farm: Producer, hub: Hub) -> None:
    now = clock_of(farm.region).now()
    with pytest.raises(Conflict, match="in this order"), farm.write() as tx:
        propose_sale(farm.federation, tx, "farm", name="x", opens_at=now, closes_at=now, begins_at=now, ends_at=now)
