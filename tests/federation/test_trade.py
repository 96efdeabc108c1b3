"""A producer lists once, a hub elsewhere sells, and there is one stock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from commensal.base.errors import Conflict, Refused, SoldOut
from commensal.catalogs.items import change_item, item_by_id
from commensal.catalogs.offers import set_price
from commensal.products.products import change_product
from commensal_federation.catalogue.grants import give_grant, record_refused_offer
from commensal_federation.catalogue.tables import federation_item
from commensal_federation.delivery.sync.sweeping import send_digests
from commensal_federation.dfc.vocabulary import DfcEnterprise
from commensal_federation.grants.questions import grant_by_id
from commensal_federation.grants.tables import federation_grant
from commensal_federation.messages.catalogue import GrantOffer
from commensal_federation.messages.types import Failed
from commensal_federation.testing import Region

from .trading import Hub, Producer, assert_consistent, clock_of, minutes

PEERS = ("ab", "ac")
BOTH = True  # databases


def test_what_a_producer_lists_appears_at_the_hub_that_it_grants_with_its_price(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    (listing,) = hub.received(farm)
    assert (listing.name, listing.price, listing.currency, listing.left) == ("Apples", 2000, "EUR", 100)
    assert [(hop.iri, hop.name) for hop in listing.provenance] == [(farm.iri, "farm")]


def test_a_grant_to_a_hub_that_does_not_exist_is_refused_with_the_reason(farm: Producer, hub: Hub) -> None:
    peer = farm.region.peer("a", "b")
    with farm.write() as tx:
        mistyped = give_grant(farm.federation, tx, "farm", peer.id, f"{hub.iri}x", "Hub")
    farm.region.work()
    with farm.read() as tx:
        refused = grant_by_id(tx, mistyped.id)
    assert (refused.state, refused.reason) == ("refused", "There is no such enterprise here.")
    with farm.write() as tx:
        assert give_grant(farm.federation, tx, "farm", peer.id, f"{hub.iri}x", "Hub").reason == ""


def test_a_refused_change_does_not_end_a_grant_that_was_accepted_meanwhile(farm: Producer, hub: Hub) -> None:
    grant = farm.grant(hub)
    failed = Failed(
        id="x",
        type="GrantOffer",
        peer=farm.region.peer("a", "b"),
        on_behalf_of=None,
        in_reply_to=None,
        body=GrantOffer(
            grantor=DfcEnterprise(iri=farm.iri, name="farm"),
            hub=hub.iri,
            currency="EUR",
            language="fr",
            timezone="Europe/Paris",
            resell=False,
            includes_vat=True,
        ),
        code="busy",
        text="Late.",
    )
    with farm.write() as tx:
        record_refused_offer(farm.federation, tx, failed)
        assert grant_by_id(tx, grant.id).state == "accepted"


def test_the_last_of_many_hubs_hears_of_a_change_too(farm: Producer, hub: Hub) -> None:
    grant = farm.grant(hub)
    of_c = {"peer_id": farm.region.peer("a", "c").id, "state": "accepted"}
    with farm.write() as tx:
        row = tx.one(select(federation_grant).where(federation_grant.c.id == grant.id))
        others = [{**row, **of_c, "id": f"0-{n}", "other_iri": f"https://c.example/{n}"} for n in range(200)]
        tx.execute(insert(federation_grant), others)
        set_price(tx, "farm", farm.item, 2200)
    farm.region.cut("a", "c")
    farm.region.work()
    assert [listing.price for listing in hub.received(farm)] == [2200]


def test_changes_are_told_by_revision_and_what_is_hidden_is_withdrawn(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    with farm.write() as tx:
        set_price(tx, "farm", farm.item, 2200)
        change_product(tx, "farm", farm.product.id, 1, name="Red apples")
    farm.region.work()
    (listing,) = hub.received(farm)
    assert (listing.name, listing.price) == ("Red apples", 2200)
    with farm.write() as tx:
        change_item(tx, "farm", farm.item, item_by_id(tx, "farm", farm.item).version, hidden=True)
    farm.region.work()
    assert hub.received(farm) == []
    with hub.write() as tx:  # as if it had never received the last message
        tx.execute(update(federation_item).values(gone_at=None, rev=federation_item.c.rev - 1, digest="old"))
    assert len(hub.received(farm)) == 1
    with farm.write() as tx:
        send_digests(farm.federation, tx)
    farm.region.work()
    assert hub.received(farm) == [], "what went before is in the state too"


def test_a_shopper_of_the_hub_takes_from_the_producers_stock(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    item = hub.sell(farm)
    order = hub.order(item, 3)
    assert order.lines[0].quantity == 3
    (lease,) = farm.leases()
    assert lease.granted >= 3
    assert farm.lot.free == 100 - lease.granted
    assert farm.lot.lent == lease.granted
    assert hub.lot(farm).reserved == 3
    assert_consistent(farm.region)


def test_the_last_crate_goes_to_whoever_asks_first_anywhere(region: Region) -> None:
    farm = Producer(region, "a", on_hand="5")
    hubs = [Hub(region, "b"), Hub(region, "c")]
    for hub in hubs:
        farm.grant(hub)
    items = [hub.sell(farm) for hub in hubs]
    hubs[0].order(items[0], 3)
    with pytest.raises(SoldOut):
        hubs[1].order(items[1], 3)
    hubs[1].order(items[1], 2)
    with pytest.raises(SoldOut):
        hubs[0].order(items[0], 1)
    assert (farm.lot.free, farm.lot.lent) == (0, 5)
    assert_consistent(region)


def test_a_hub_goes_on_selling_what_it_holds_while_the_link_is_down(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    item = hub.sell(farm)
    minutes(farm.region)  # it holds stock ahead of need
    held_units = int(hub.lot(farm).free)
    assert held_units > 1
    farm.region.cut("a", "b")
    hub.order(item, held_units - 1)
    with pytest.raises(Conflict, match="cannot be reached"):
        hub.order(item, 5)
    farm.region.mend()
    minutes(farm.region, 5)
    hub.order(item, 5)
    assert_consistent(farm.region)


def test_a_hub_that_is_cut_off_stops_selling_before_its_lease_ends(farm: Producer, hub: Hub) -> None:
    """Clocks differ: what is sold a minute before the end here is perhaps sold after it by the producer's clock."""
    farm.grant(hub)
    item = hub.sell(farm)
    hub.order(item, 1)
    farm.region.cut("a", "b")
    (lease,) = hub.leases()
    assert lease.until is not None
    clock_of(farm.region).set(lease.until - timedelta(minutes=1))
    assert hub.lot(farm).free > 0
    with pytest.raises(Refused):
        hub.order(item, 1)


def test_idle_units_go_home_when_the_sale_is_over(farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    item = hub.sell(farm)
    hub.order(item, 3)
    clock_of(farm.region).advance(days=1, hours=1)
    minutes(farm.region, 3)
    assert (farm.lot.free, farm.lot.lent) == (97, 3)
    assert (hub.lot(farm).free, hub.lot(farm).reserved) == (0, 3)
    assert_consistent(farm.region)
