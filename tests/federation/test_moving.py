"""An enterprise moves to another instance with its old home's help, and everybody continues to trade with it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from commensal.base.errors import Conflict, SoldOut
from commensal.catalogs.offers import set_price
from commensal.catalogs.product_listing import Listing, list_products
from commensal.enterprises.enterprises import change_enterprise, every_enterprise
from commensal.enterprises.grants import grant
from commensal.enterprises.legal_texts import legal_text_versions, publish_legal_text
from commensal.enterprises.members import list_members
from commensal.orders.cancel import cancel_order
from commensal.orders.fulfil import hand_order_over, undo_hand_over_of
from commensal.orders.lock import locked_order
from commensal.sale_sessions.tables import coordination_supplier, session_item
from commensal.stock.lots import change_lot, lots_of
from commensal.stock.tables import low_stock_notice
from commensal.testing.placed import a_shop
from commensal_federation.catalogue.grants import SELLING, accept_grant, end_grant, give_grant
from commensal_federation.delivery import post
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.outbox.dead_letters import dead_letters
from commensal_federation.dfc.iris import lot_iri
from commensal_federation.grants.questions import grants_between
from commensal_federation.grants.tables import federation_lease
from commensal_federation.leases.holder import give_back
from commensal_federation.leases.lender import force_return
from commensal_federation.leases.row import lease_by_id, leases
from commensal_federation.messages.leases import LeaseRequest
from commensal_federation.moving.old_home import cancel_leaving, offer_move
from commensal_federation.notices.tables import federation_notice
from commensal_federation.orders.questions import orders_of
from commensal_federation.testing import Region

from .conftest import NewRegion
from .moves import accept, farm, farm_of_ann, give_to_ann, home_of, hub, move, offer, states
from .trading import Hub, Place, Producer, assert_consistent, clock_of, minutes, region_of_peers

__all__ = ["farm", "hub"]  # fixtures
# The farm lives on a; b sells its goods; c will be its new home.
PEERS = ("ab", "ac", "bc")


def only_lot(place: Place) -> Any:
    with place.read() as tx:
        (lot,) = lots_of(tx, "farm")
    return lot


def lent_units(place: Place) -> Decimal:
    """The units of all leases together, as the lender counts them."""
    row = federation_lease.c
    with place.read() as tx:
        rows = tx.all(select(federation_lease).where(row.role == "lender"))
    return Decimal(sum(row["granted"] - row["seen"] + row["held"] for row in rows))


def test_a_hub_goes_on_selling_after_its_producer_has_moved(farm: Producer, hub: Hub) -> None:
    item = hub.sell(farm)
    hub.order(item, 3)
    minutes(farm.region, 2)
    new_farm = move(farm)
    assert states(farm.region) == {"a": ["leaving moved"], "b": ["following followed"], "c": ["coming done"]}
    hub.order(item, 40, "Bea")  # more than it held: leased from the new home
    minutes(farm.region)
    lot, old_lot = only_lot(new_farm), only_lot(farm)
    assert (lot.free + lot.lent, lot.lent) == (100, lent_units(new_farm))
    assert lot.lent >= 43
    assert (old_lot.free, old_lot.reserved, old_lot.lent) == (0, 0, 0)
    (listing,) = hub.received(new_farm)
    assert (listing.name, listing.price) == ("Apples", 2000)
    assert [hop.iri for hop in listing.provenance] == [new_farm.iri]
    assert_consistent(farm.region)


def test_an_order_that_runs_is_completed_at_the_new_home(farm: Producer, hub: Hub) -> None:
    item = hub.sell(farm)
    hub.order(item, 3)
    minutes(farm.region, 2)
    new_farm = move(farm)
    hub.order(item, 2, "Bea")
    clock_of(farm.region).advance(days=1, hours=1)
    minutes(farm.region, 3)
    with new_farm.read() as tx:
        (order,) = orders_of(tx, "farm")
    assert (order.state, [(line.quantity, line.answer) for line in order.lines]) == ("Complete", [(5, "confirmed")])
    with hub.read() as tx:
        (order,) = orders_of(tx, "hub")
    assert [(line.quantity, line.answer) for line in order.lines] == [(5, "confirmed")]
    assert_consistent(farm.region)


def test_a_grant_that_is_still_offered_is_offered_by_the_new_home(farm: Producer, hub: Hub) -> None:
    item = hub.sell(farm)
    hub.order(item, 3)
    minutes(farm.region, 2)
    with farm.write() as tx:
        (grant_given,) = grants_between(tx, enterprise_id="farm", direction="given")
        end_grant(farm.federation, tx, grant_given.id)
        ends_at = tx.now + timedelta(days=30)
        peer_id = farm.region.peer("a", "b").id
        give_grant(farm.federation, tx, "farm", peer_id, hub.iri, hub.id, lot_share=20, ends_at=ends_at)
    minutes(farm.region)
    new_farm = move(farm)
    with hub.write() as tx:
        (offered,) = grants_between(tx, enterprise_id="hub", direction="received", state="offered")
        accept_grant(hub.federation, tx, offered.id)
    minutes(farm.region, 2)
    with new_farm.read() as tx:
        (moved,) = grants_between(tx, enterprise_id="farm", direction="given")
        (order,) = orders_of(tx, "farm")
    assert (moved.state, moved.lot_share, moved.ends_at) == ("accepted", 20, ends_at)
    assert [line.quantity for line in order.lines] == [3]
    assert_consistent(farm.region)


def test_people_at_the_new_home_are_told_of_what_was_sold_late(farm: Producer, hub: Hub) -> None:
    hub.order(hub.sell(farm), 2)
    farm.region.cut("a", "b")
    with farm.write() as tx:
        force_return(farm.federation, tx, farm.leases()[0].id)
    farm.region.mend()
    clock_of(farm.region).advance(hours=1)
    minutes(farm.region)
    assert farm.leases()[0].late == 2
    new_farm = move(farm)
    notice = federation_notice.c
    with new_farm.read() as tx:
        notices = tx.all(select(notice.kind, notice.enterprise_id).where(notice.kind == "sold_late"))
        assert notices == [{"kind": "sold_late", "enterprise_id": new_farm.id}]
        assert [alert.text for alert in alerts(tx)] == ["Apples: 2 Piece were sold without having been leased."]


def hub_of_the_old_home(farm: Producer) -> tuple[Hub, str]:
    """A hub on the farm's instance that sells its apples, and the item."""
    market = Hub.__new__(Hub)
    Place.__init__(market, farm.region, "a", "market")
    with market.write() as tx:
        a_shop(tx, "market", name="market")
        for scope in SELLING:
            grant(tx, "farm", "market", scope)
        (item,) = list_products(tx, "market", "market-catalog", [Listing(product_id=farm.product.id, price=2500)])
        tx.execute(insert(coordination_supplier).values(coordination_id="market-sale", enterprise_id="farm"))
        tx.execute(insert(session_item).values(session_id="market-session", item_id=item))
    return market, item


def test_a_hub_of_the_old_home_keeps_what_its_customers_have_ordered_and_sells_on(farm: Producer) -> None:
    market, item = hub_of_the_old_home(farm)
    market.order(item, 7)
    new_farm = move(farm)
    assert (only_lot(farm).reserved, only_lot(new_farm).lent) == (7, lent_units(new_farm))
    market.order(item, 20, "Bea")
    minutes(farm.region, 2)
    assert only_lot(farm).reserved == 27
    assert only_lot(new_farm).free + only_lot(new_farm).lent == 100
    assert_consistent(farm.region)


def test_a_hand_over_before_a_move_is_undone_after_it_at_the_old_home(farm: Producer) -> None:
    market, item = hub_of_the_old_home(farm)
    order = market.order(item, 7)
    hand_over(market, order.id)
    new_farm = move(farm)
    undo(market, order.id)
    minutes(farm.region)
    assert_consistent(farm.region)
    cancel(market, order.id)
    minutes(farm.region)
    lot = only_lot(new_farm)
    assert (lot.free + lot.lent, lot.sold, only_lot(farm).sold) == (100, 0, 0)
    assert_consistent(farm.region)


def test_a_hand_over_before_a_move_is_undone_after_it_at_a_hub(farm: Producer, hub: Hub) -> None:
    order = hub.order(hub.sell(farm), 7)
    hand_over(hub, order.id)
    minutes(farm.region)
    new_farm = move(farm)
    assert (only_lot(farm).sold, only_lot(new_farm).sold) == (0, 7)
    undo(hub, order.id)
    cancel(hub, order.id)
    minutes(farm.region)
    lot = only_lot(new_farm)
    assert (lot.free + lot.lent, lot.sold) == (100, 0)
    assert_consistent(farm.region)


def hand_over(hub: Hub, order_id: str) -> None:
    with hub.write() as tx:
        hand_order_over(tx, locked_order(tx, order_id, enterprise_id=hub.id))


def undo(hub: Hub, order_id: str) -> None:
    """Undoes the hand-over of an order."""
    with hub.write() as tx:
        undo_hand_over_of(tx, locked_order(tx, order_id, enterprise_id=hub.id))


def cancel(hub: Hub, order_id: str) -> None:
    with hub.write() as tx:
        cancel_order(tx, hub.instance.hooks, locked_order(tx, order_id, enterprise_id=hub.id), by_hub=True)


def test_where_the_new_home_sold_its_goods_the_copies_become_the_goods(farm: Producer) -> None:
    shop = Hub(farm.region, "c", "shop")
    farm.grant(shop)
    item = shop.sell(farm)
    shop.order(item, 4)
    minutes(farm.region, 2)
    move(farm)
    shop.order(item, 50, "Bea")
    with shop.read() as tx:
        (lot,) = [lot for name in _enterprises(tx) for lot in lots_of(tx, name)]
    assert [lot.free, lot.reserved, lot.lent] == [46, 54, 0]
    assert home_of(shop) == []
    assert_consistent(farm.region)


def test_the_level_of_an_alert_moves_with_the_lot_and_nobody_is_alerted_of_the_move(farm: Producer) -> None:
    shop = Hub(farm.region, "c", "shop")
    farm.grant(shop)
    shop.sell(farm)
    minutes(farm.region, 2)
    with farm.write() as tx:
        (lot,) = lots_of(tx, "farm")
        change_lot(tx, "farm", lot.id, lot.version, low_level=Decimal(5))
    new_home = move(farm)
    minutes(farm.region, 2)
    with new_home.read() as tx:
        assert [lot.low_level for lot in lots_of(tx, new_home.id)] == [Decimal(5)]
    with farm.read() as tx:
        assert [lot.low_level for lot in lots_of(tx, "farm")] == [None]
        assert tx.value(select(func.count()).select_from(low_stock_notice)) == 0


def test_what_is_on_its_way_between_the_homes_is_not_lost(farm: Producer) -> None:
    shop = Hub(farm.region, "c", "shop")
    farm.grant(shop)
    item = shop.sell(farm)
    shop.order(item, 4)
    minutes(farm.region, 2)
    offer(farm)
    accept(farm.region)
    farm.region.work("c")  # the old home has frozen it, and its export is on the way
    with shop.write() as tx:
        (lease,) = [lease.id for lease in leases(tx) if lease.role == "holder"]
        lease_row = lease_by_id(tx, lease)
        assert lease_row.free >= 3
        give_back(shop.federation, tx, lease_row, 3)
    farm.region.work()
    minutes(farm.region, 3)
    with shop.read() as tx:
        (lot,) = [lot for name in _enterprises(tx) for lot in lots_of(tx, name)]
    assert [lot.free, lot.reserved, lot.lent] == [96, 4, 0]
    assert_consistent(farm.region)


def test_a_late_request_of_the_new_home_for_its_own_goods_opens_no_lease_at_the_old_home(farm: Producer) -> None:
    """Units granted for it would lie under a lease that nobody holds."""
    market, _ = hub_of_the_old_home(farm)
    shop = Hub(farm.region, "c", "shop")
    Producer.over(market).grant(shop)
    move(farm)
    late = LeaseRequest(
        lot=lot_iri(farm.federation.base, farm.product.lot_id),
        unit="Piece",
        least=Decimal(0),
        hoped=Decimal(3),
        ordered=Decimal(0),
    )
    with shop.write() as tx:
        post(shop.federation, tx, farm.region.peer("c", "a").id, "LeaseRequest", late)
    farm.region.work()
    with farm.read() as tx:
        assert [lease.role for lease in leases(tx)] == ["holder"]
    assert_consistent(farm.region)


def _enterprises(tx: Any) -> list[str]:
    return [enterprise.id for enterprise in every_enterprise(tx)]


def test_it_can_move_back(farm: Producer, hub: Hub) -> None:
    item = hub.sell(farm)
    hub.order(item, 3)
    new_farm = move(farm)
    assert home_of(hub) == [new_farm.iri]
    move(new_farm, to="a")
    assert home_of(hub) == [farm.iri]
    hub.order(item, 30, "Bea")
    lot = only_lot(farm)
    assert (lot.free + lot.lent, lot.lent) == (100, lent_units(farm))
    assert_consistent(farm.region)


def test_an_order_of_a_hub_at_the_new_home_is_sent_anew_when_the_farm_has_moved_back(farm: Producer) -> None:
    shop = Hub(farm.region, "c", "shop")
    farm.grant(shop)
    item = shop.sell(farm)
    for price in (2100, 2200):  # so the revisions of the first grant are higher than those of the second
        with farm.write() as tx:
            set_price(tx, "farm", farm.item, price)
        minutes(farm.region)
    shop.order(item, 4)
    minutes(farm.region, 2)
    move(move(farm), to="a")
    clock_of(farm.region).advance(days=1, hours=1)
    minutes(farm.region, 3)
    with farm.read() as tx:
        (order,) = orders_of(tx, "farm")
    assert (order.state, [(line.quantity, line.answer) for line in order.lines]) == ("Complete", [(4, "confirmed")])
    assert_consistent(farm.region)


@pytest.mark.parametrize("ordered_while", ["it lived elsewhere", "it lived here"])
def test_of_a_sale_that_is_over_nothing_is_ordered_when_the_farm_moves_away(farm: Producer, ordered_while: str) -> None:
    shop = Hub(farm.region, "c", "shop")
    farm.grant(shop)
    item = shop.sell(farm)
    here = move(farm) if ordered_while == "it lived here" else None
    order = shop.order(item, 4)
    shop.order(item, 3, "Bea")
    clock_of(farm.region).advance(days=1, hours=1)
    minutes(farm.region, 3)
    here = here or move(farm)
    with here.write() as tx:  # so it is not offered elsewhere at the price of the sale
        set_price(tx, here.id, farm.item, 2100)
    move(here, to="a")
    cancel(shop, order.id)
    minutes(farm.region, 3)
    with farm.read() as tx:
        assert orders_of(tx, "farm") == []
    with shop.read() as tx:
        assert dead_letters(tx, "out") == []
    assert_consistent(farm.region)


def test_a_peer_that_does_not_know_the_new_home_waits_for_its_operator(new_region: NewRegion) -> None:
    region = region_of_peers(new_region, "ab", "ac")
    farm = farm_of_ann(region)
    hub = Hub(region, "b")
    farm.grant(hub)
    item = hub.sell(farm)
    minutes(region, 2)
    move(farm)
    assert states(region)["b"] == ["following waiting"]
    with hub.read() as tx:
        assert [alert.kind for alert in alerts(tx)] == ["move"]
    hub.order(item, 2)  # from the stock that it holds
    region.befriend("b", "c")
    minutes(region, 3)
    assert states(region)["b"] == ["following followed"]
    hub.order(item, 40, "Bea")
    assert_consistent(region)


def test_while_it_is_frozen_nothing_new_is_sold_and_it_can_be_called_off(farm: Producer, hub: Hub) -> None:
    item = hub.sell(farm)
    moving = offer(farm)
    farm.region.cut("a", "c", one_way=True)
    accept(farm.region)
    farm.region.work("c", "a")
    with farm.write() as tx, pytest.raises(Conflict) as refused:
        give_grant(farm.federation, tx, "farm", farm.region.peer("a", "b").id, hub.iri, "hub")
    assert refused.value.code == "moving"
    with pytest.raises(SoldOut):
        hub.order(item, 40)
    with farm.write() as tx:
        assert [member.role for member in list_members(tx, "farm")] == ["accountant"]
        cancel_leaving(farm.federation, tx, moving.id)
        assert [member.role for member in list_members(tx, "farm")] == ["owner"]
    farm.region.mend()
    minutes(farm.region, 3)
    assert states(farm.region) == {"a": ["leaving cancelled"], "b": [], "c": ["coming cancelled"]}
    hub.order(item, 40)
    assert_consistent(farm.region)


def test_what_hubs_say_during_a_long_move_is_heard_when_it_is_called_off(farm: Producer, hub: Hub) -> None:
    item = hub.sell(farm)
    hub.order(item, 3)
    minutes(farm.region, 2)
    moving = offer(farm)
    farm.region.cut("a", "c", one_way=True)
    accept(farm.region)
    farm.region.work("c", "a")
    hub.order(item, 2, "Bea")
    minutes(farm.region, 12)
    with farm.write() as tx:
        assert dead_letters(tx, "in") == []
        cancel_leaving(farm.federation, tx, moving.id)
    farm.region.mend()
    minutes(farm.region, 2)
    with farm.read() as tx:
        (order,) = orders_of(tx, "farm")
    assert [line.quantity for line in order.lines] == [5]
    assert_consistent(farm.region)


def test_what_cannot_be_taken_in_stays_where_it_is(farm: Producer, region: Region) -> None:
    with region["c"].instance.store.write() as tx:
        a_shop(tx, "farm", name="another farm")  # with the same id, which happens only in this test
    offer(farm)
    accept(region)
    region.work()
    assert states(region)["a"] == ["leaving refused"]
    assert only_lot(farm).free == 100
    with farm.write() as tx:
        offer_move(farm.federation, tx, "farm", region.peer("a", "c").id)


def test_what_a_hub_was_granted_is_offered_to_it_at_its_new_home(region: Region) -> None:
    producer, hub = Producer(region, "b", "orchard"), Hub(region, "a")
    give_to_ann(hub)
    producer.grant(hub)
    move(hub)
    assert states(region) == {"a": ["leaving moved"], "b": ["following followed"], "c": ["coming done"]}
    with region["c"].instance.store.write() as tx:
        (grant,) = grants_between(tx, enterprise_id="hub", direction="received")
        assert (grant.state, grant.other_iri) == ("offered", producer.iri)
        accept_grant(region["c"], tx, grant.id)
    region.work()
    hub_at_c = Hub.__new__(Hub)
    Place.__init__(hub_at_c, region, "c", "hub")
    assert [listing.name for listing in hub_at_c.received(producer)] == ["Apples"]


def test_an_enterprise_moves_on_only_when_every_peer_has_followed_it(new_region: NewRegion) -> None:
    """What a peer holds of its goods is known at the new home once the peer has followed, and cannot be handed on."""
    region = region_of_peers(new_region, "ab", "ac", "bc")
    farm = farm_of_ann(region)
    shop = Hub(region, "b", "shop")
    farm.grant(shop)
    shop.order(shop.sell(farm), 3)
    minutes(region, 2)
    region.cut("a", "b")
    region.cut("b", "c")
    arrived = move(farm)
    with arrived.write() as tx, pytest.raises(Conflict, match="Instance B must follow"):
        offer_move(arrived.federation, tx, arrived.id, region.peer("c", "a").id)
    region.mend()
    minutes(region, 20)
    assert states(region)["b"] == ["following followed"]
    with arrived.write() as tx:
        assert offer_move(arrived.federation, tx, arrived.id, region.peer("c", "a").id).state == "offered"


def test_its_story_moves_along_in_all_languages(farm: Producer) -> None:
    stories = {"br": "<p>Demat.</p>", "en": "<p>Hello.</p>"}
    with farm.write() as tx:
        (profile,) = [each for each in every_enterprise(tx) if each.id == farm.id]
        change_enterprise(tx, farm.id, profile.version, descriptions=stories)
    moved = move(farm)
    with moved.read() as tx:
        assert [each.descriptions for each in every_enterprise(tx) if each.id == moved.id] == [stories]


def test_its_legal_texts_move_along_in_all_versions(farm: Producer) -> None:
    with farm.write() as tx:
        publish_legal_text(tx, "terms", 0, {"en": "Pay soon."}, enterprise_id=farm.id)
        publish_legal_text(tx, "terms", 1, {"en": "Pay when you collect."}, enterprise_id=farm.id)
    moved = move(farm)
    with moved.read() as tx:
        texts = [(text.version, dict(text.texts)) for text in legal_text_versions(tx, moved.id)]
    assert texts == [(1, {"en": "<p>Pay soon.</p>"}), (2, {"en": "<p>Pay when you collect.</p>"})]
