"""Failures that the simulator found, each replayed without chance."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from commensal import Job, Refused
from commensal.base.clock import ManualClock
from commensal.catalogs.items import add_item, change_item, item_by_id
from commensal.catalogs.listings import listings_of
from commensal.catalogs.offers import set_price
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.fulfil import hand_order_over, undo_hand_over_of, weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.values import Order, Wish
from commensal.parts.distribution.distribution import ordered_of
from commensal.parts.serving.work import work_of
from commensal.products.products import create_product
from commensal.products.values import SuppliedProduct
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.stock.lots import lots_by_id
from commensal.stock.tables import stock_movement
from commensal.storage.jobs.periodic import run_periodic
from commensal_federation.catalogue.grants import accept_grant, end_grant, give_grant
from commensal_federation.delivery.outbox import pushing
from commensal_federation.delivery.outbox.breaker import judge
from commensal_federation.delivery.sync.pulling import pull, pull_lane
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.grants.questions import grants_between, mirror_of
from commensal_federation.leases.holder import give_back, report
from commensal_federation.leases.lender import accept_late, force_return
from commensal_federation.leases.row import holdings_of
from commensal_federation.messages.leases import Lease
from commensal_federation.messages.order_answer import AnswerLine
from commensal_federation.orders.hub import send_session_orders
from commensal_federation.orders.questions import orders_of
from commensal_federation.orders.supplier import answer_order
from commensal_federation.orders.tables import federation_order_due
from commensal_federation.peers.tables import federation_peer
from commensal_federation.signing.profile import write_moment
from commensal_federation.testing import Region
from commensal_federation.transport import Answer

from .conftest import NewRegion, Say
from .restoring import Backup
from .trading import Hub, Place, Producer, answer, assert_consistent, clock_of, minutes, only_order, region_of_peers

PEERS = ("ab",)


@pytest.fixture
def hub(farm: Producer, hub: Hub) -> Hub:
    farm.grant(hub)
    return hub


@pytest.fixture
def item(hub: Hub, farm: Producer) -> str:
    return hub.sell(farm)


def ordered_pieces(place: Place) -> list[tuple[int, int, str]]:
    return [(line.quantity, line.coming, line.answer) for line in only_order(place).lines]


def lease(farm: Producer) -> Lease:
    (lease,) = farm.leases()
    return lease


def count_grants(farm: Producer) -> int:
    with farm.read() as tx:
        return int(tx.value(select(func.count()).where(federation_outbox.c.type == "LeaseGrant")))


def force(farm: Producer) -> None:
    with farm.write() as tx:
        force_return(farm.federation, tx, lease(farm).id)


def cancel(hub: Hub, order_id: str) -> None:
    with hub.write() as tx:
        cancel_order(tx, hub.instance.hooks, locked_order(tx, order_id, enterprise_id=hub.id), by_hub=True)


def test_a_message_of_a_clock_that_is_ahead_is_taken_when_its_time_has_come(forger: Any, clock: ManualClock) -> None:
    """Such a message was lost: refused for ever, or skipped as unreadable when it was fetched."""
    body = forger.signed(published=write_moment(clock.now() + timedelta(minutes=6)))
    assert forger.status(body) == (425, "future")
    clock.advance(minutes=6)
    assert forger.status(body)[0] == 202


def test_messages_of_a_clock_that_was_ahead_are_not_passed_over_for_later_ones(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    """When the messages were fetched, the next one took their place, as if the peer no longer had them."""
    b = region["b"]
    region.cut("a", "b")
    clock.advance(minutes=6)
    say("a", "b", "said by a clock that is ahead")
    clock.advance(minutes=-6)
    say("a", "b", "said by the clock that was set right")
    region.mend()
    assert not pull_lane(b, region.peer("b", "a").id, "order"), "it comes back later"
    assert notes.at(b) == []
    clock.advance(minutes=6)
    assert pull_lane(b, region.peer("b", "a").id, "order")
    assert notes.at(b) == ["said by a clock that is ahead", "said by the clock that was set right"]


def test_who_does_not_hear_that_it_is_refused_is_told(region: Region, notes: Any, say: Say, clock: ManualClock) -> None:
    """The answer got lost and the peer fetched later messages, so this one counted as delivered."""
    b, peer = region["b"], region.peer("b", "a")
    with b.instance.store.write() as tx:
        tx.execute(update(federation_peer).where(federation_peer.c.id == peer.id).values(scopes_given=[]))
    region.cut("b", "a", one_way=True)
    id = say("a", "b", "hello")
    for _ in range(3):  # refused at each delivery
        region.work()
        clock.advance(minutes=1)
    region.mend()
    assert pull_lane(b, peer.id, "order")
    region.work()
    with region["a"].instance.store.read() as tx:
        sent = tx.one(select(federation_outbox).where(federation_outbox.c.id == id))
    with b.instance.store.read() as tx:
        problems = tx.all(select(federation_outbox.c.in_reply_to).where(federation_outbox.c.type == "Problem"))
    assert (sent["state"], sent["error"].partition(":")[0]) == ("dead", "scope")
    assert [row["in_reply_to"] for row in problems] == [id], "once"


def test_a_refusal_that_comes_when_the_message_was_taken_after_all_counts_no_more(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    b, peer = region["b"], region.peer("b", "a")

    def give(*scopes: str) -> None:
        with b.instance.store.write() as tx:
            tx.execute(update(federation_peer).where(federation_peer.c.id == peer.id).values(scopes_given=list(scopes)))

    give()
    region.cut("b", "a", one_way=True)
    id = say("a", "b", "hello")
    region.work()
    give("order.place")
    region.mend()
    clock.advance(minutes=1)
    region.work("a")
    assert notes.at(b) == ["hello"]
    clock.advance(minutes=5)
    region.work()
    with region["a"].instance.store.read() as tx:
        sent = tx.one(select(federation_outbox).where(federation_outbox.c.id == id))
        problems = tx.all(select(federation_inbox.c.type).where(federation_inbox.c.type == "Problem"))
    assert (sent["state"], len(problems)) == ("delivered", 1)


@pytest.mark.parametrize("answered", [{"status": 200, "code": "known"}, {"status": 202, "code": "dead"}, None])
def test_a_refusal_that_overtakes_the_answer_stays_and_says_why(
    region: Region, notes: Any, say: Say, answered: dict[str, Any] | None
) -> None:
    """The peer has refused the message, and only then the answer to the delivery arrives, or gets lost."""
    a, settle = region["a"], vars(pushing)["_settle"]
    id = say("a", "b", "refuse")
    region.work()
    body = json.dumps({"messages": [answered]}).encode()
    late_verdict = judge(
        Answer(202, body=body) if answered else None, [id], "the answer got lost", a.instance.clock.now()
    )
    with a.instance.store.write() as tx:
        sent = tx.one(select(federation_outbox).where(federation_outbox.c.id == id))
        settle(a, tx, sent["lane"], vars(pushing)["_Batch"](region.peer("a", "b"), [sent]), late_verdict)
    with a.instance.store.read() as tx:
        sent = tx.one(select(federation_outbox).where(federation_outbox.c.id == id))
    assert (sent["state"], sent["error"]) == ("dead", "no: Not this.")


def test_what_was_sold_before_a_grant_was_taken_back_stays_ordered(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    with farm.write() as tx:
        (grant,) = grants_between(tx, enterprise_id=farm.id, direction="given")
        end_grant(farm.federation, tx, grant.id)
    minutes(farm.region, 2)
    assert ordered_pieces(farm) == [(2, 2, "")]
    clock_of(farm.region).advance(days=1, hours=1)
    minutes(farm.region, 3)
    assert (only_order(farm).state, ordered_pieces(farm)) == ("Complete", [(2, 2, "")]), "the producer confirms by hand"


def test_what_was_sold_before_a_grant_was_offered_anew_stays_ordered(farm: Producer, hub: Hub, item: str) -> None:
    """The producer was not told that the sale was over while the hub had not answered the new offer."""
    hub.order(item, 2)
    minutes(farm.region, 2)
    with farm.write() as tx:
        (grant,) = grants_between(tx, enterprise_id=farm.id, direction="given")
        end_grant(farm.federation, tx, grant.id)
        give_grant(farm.federation, tx, farm.id, grant.peer_id, hub.iri, hub.id)
    clock_of(farm.region).advance(days=1, hours=1)
    minutes(farm.region, 3)
    assert (only_order(farm).state, ordered_pieces(farm)) == ("Complete", [(2, 2, "")])


def test_an_answer_that_crosses_the_end_of_its_grant_is_no_failure(farm: Producer, hub: Hub, region: Region) -> None:
    """It was refused as an answer to nothing, so operators of both sides were told of a lost message."""
    with farm.write() as tx:
        (given,) = grants_between(tx, enterprise_id=farm.id, direction="given")
        end_grant(farm.federation, tx, given.id)
        give_grant(farm.federation, tx, farm.id, given.peer_id, hub.iri, hub.id)
    region.work()
    region.cut("b", "a", one_way=True)
    with hub.write() as tx:
        accept_grant(hub.federation, tx, grants_between(tx, enterprise_id=hub.id, direction="received")[0].id)
    with farm.write() as tx:
        end_grant(farm.federation, tx, given.id)
    region.work()
    region.mend()
    minutes(region, 2)
    for place, box in ((farm, federation_inbox), (hub, federation_outbox)):
        with place.read() as tx:
            assert tx.all(select(box.c.type).where(box.c.state == "dead")) == []
    with farm.read() as tx:
        assert [grant.state for grant in grants_between(tx, enterprise_id=farm.id)] == ["revoked"]


def cheese_at(farm: Producer, kilograms: int) -> SuppliedProduct:
    """Pieces of about half a kilogram, which are weighed."""
    with farm.write() as tx:
        cheese = create_product(
            tx,
            enterprise_id=farm.id,
            name="Cheese",
            product_type="fruit",
            quantity=Decimal("0.5"),
            unit="Kilogram",
            vat_rate=Decimal("5.5"),
            on_hand=Decimal(kilograms),
            weighed=True,
        )
        set_price(tx, farm.id, add_item(tx, farm.id, "farm-catalog", cheese.id).id, 1200)
    return cheese


def item_named(hub: Hub, of: Place, name: str) -> str:
    with hub.read() as tx:
        (product_id,) = [listing.product_id for listing in hub.received(of) if listing.name == name]
        ((item, *_),) = listings_of(tx, hub.id, [product_id]).values()
    return item


def weigh(hub: Hub, order: Order, kilograms: str) -> None:
    with hub.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id=hub.id)
        weigh_order(tx, hub.instance.hooks, locked, {locked.lines[0].id: Decimal(kilograms)})


def test_what_scales_have_found_beyond_a_lease_is_not_given_back(region: Region) -> None:
    """The lender refused it, and with it the stock given back in the same message."""
    farm, hub = Producer(region, "a"), Hub(region, "b")
    cheese = cheese_at(farm, 2)
    farm.grant(hub)
    hub.sell(farm)
    order = hub.order(item_named(hub, farm, "Cheese"), 4)
    weigh(hub, order, "2.1")
    minutes(region)
    cancel(hub, order.id)
    with hub.write() as tx:
        for table in (coordination, sale_session):
            tx.execute(update(table).values(closes_at=tx.now))
    minutes(region, 3)
    (held_cheese,) = [lease for lease in farm.leases() if lease.lot_id == cheese.lot_id]
    assert (held_cheese.granted, held_cheese.returned, held_cheese.held) == (Decimal(2), Decimal(2), Decimal("0.1"))
    assert_consistent(region)


def test_a_hub_that_can_give_back_nothing_of_what_it_found_still_tells_what_it_sold(region: Region) -> None:
    """It tried to give back the rest of each minute anew, and told nothing else."""
    farm, hub = Producer(region, "a"), Hub(region, "b")
    cheese = cheese_at(farm, 2)
    farm.grant(hub)
    hub.sell(farm)
    order = hub.order(item_named(hub, farm, "Cheese"), 4)
    weigh(hub, order, "2.1")
    minutes(region)
    weigh(hub, order, "2.05")
    with hub.write() as tx:
        hand_order_over(tx, locked_order(tx, order.id, enterprise_id=hub.id))
        for table in (coordination, sale_session):
            tx.execute(update(table).values(closes_at=tx.now))
    minutes(region, 3)
    (lease_of_cheese,) = [lease for lease in farm.leases() if lease.lot_id == cheese.lot_id]
    assert lease_of_cheese.sold == Decimal("2.05")
    assert lease_of_cheese.held == Decimal("0.05")
    assert_consistent(region)


def test_what_scales_have_found_two_instances_further_is_made_up_for_once(new_region: NewRegion) -> None:
    """Both the hub in between and the shop had made up for it by a grant: 50 grams were counted nowhere."""
    region = region_of_peers(new_region, "ab", "bc")
    farm, hub, shop = Producer(region, "a"), Hub(region, "b"), Hub(region, "c", "shop")
    cheese = cheese_at(farm, 100)
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    hub.sell(farm)
    regional.grant(shop)
    shop.sell(regional)
    hub_item, shop_item = item_named(hub, farm, "Cheese"), item_named(shop, regional, "Cheese")
    shop.order(shop_item, 1)  # it comes from the farm, through the hub
    minutes(region, 2)
    weigh(shop, shop.order(shop_item, 21), "10.55")  # all that it had, and 50 grams
    minutes(region)
    hub.order(hub_item, 30)
    minutes(region, 3)
    with farm.read() as tx:
        lot = lots_by_id(tx, [cheese.lot_id])[cheese.lot_id]
    assert lot.free + lot.lent == Decimal(100)
    with hub.read() as tx:
        (lease_at_hub,) = [
            holding
            for holding in holdings_of(tx, [holding.lot_id for holding in hub.leases()])
            if holding.lot.name == "Cheese"
        ]
    assert (lease_at_hub.uncovered, lease_at_hub.row.granted > 0) == (0, True)
    assert counted(hub) + counted(shop) == 0, "the 50 grams came out of the farm's stock after all"
    assert_consistent(region)


def counted(place: Place) -> int:
    """Grains by which counting and weighing have changed the stock there, by its journal."""
    change = stock_movement.c
    changes = select(func.coalesce(func.sum(change.free_change), 0)).where(change.kind == "counted")
    with place.read() as tx:
        return int(tx.value(changes))


def test_what_is_hidden_after_it_was_ordered_is_ordered_at_its_last_price(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 2)
    with farm.write() as tx:
        change_item(tx, farm.id, farm.item, item_by_id(tx, farm.id, farm.item).version, hidden=True)
    farm.region.work()
    minutes(farm.region, 2)
    assert [(line.quantity, line.price) for line in only_order(farm).lines] == [(2, 2000)]


def test_what_is_ordered_beyond_an_answer_needs_another(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 5)
    minutes(farm.region)
    answer(farm, 3)
    minutes(farm.region)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(3, 3, "shortened")]
    hub.order(item, 4, "Bea")
    minutes(farm.region)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(7, 7, "")]
    answer(farm, 6)
    minutes(farm.region)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(6, 6, "shortened")], (
        "the first shortage is not counted again"
    )
    assert_consistent(farm.region)


def test_an_answer_to_an_older_word_is_given_again_to_the_newer(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 5)
    minutes(farm.region)
    farm.region.cut("b", "a", one_way=True)
    hub.order(item, 2, "Bea")
    minutes(farm.region)
    answer(farm, 3)  # of five; the hub has ordered seven
    assert ordered_pieces(hub) == [(7, 7, "")]
    farm.region.mend()
    minutes(farm.region, 3)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(7, 7, "")], "seven were not answered yet"
    assert_consistent(farm.region)


def test_what_is_ordered_while_an_answer_is_under_way_is_answered_too(farm: Producer, hub: Hub, item: str) -> None:
    """As many pieces were ordered in the meantime as would not come, so the sum was unchanged and was not sent."""
    hub.order(item, 5)
    minutes(farm.region)
    hub.order(item, 2, "Bea")
    answer(farm, 3)  # of five
    minutes(farm.region, 4)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(3, 3, "shortened")]
    with hub.read() as tx:
        (ordered,) = ordered_of(tx, only_order(hub).session_id, [mirror_of(tx, farm.iri)])
    assert ordered.quantity == 3
    assert_consistent(farm.region)


def test_a_late_sale_that_is_called_off_leaves_nothing_to_sell(farm: Producer, hub: Hub, item: str) -> None:
    order = hub.order(item, 6)
    minutes(farm.region)
    force(farm)
    farm.region.work()
    assert lease(farm).late == 6
    cancel(hub, order.id)
    minutes(farm.region, 2)
    lease_after = lease(farm)
    assert lease_after.late == lease_after.returned == 0, "it went home by force before"
    assert farm.lot.free + farm.lot.lent == 100
    assert_consistent(farm.region)


def test_late_sales_are_taken_on_while_a_report_is_under_way(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 6)
    minutes(farm.region)
    force(farm)
    farm.region.work()
    farm.region.cut("a", "b", one_way=True)
    hub_order = hub.lot(farm).reserved
    with farm.write() as tx:
        assert accept_late(farm.federation, tx, lease(farm).id)
    minutes(farm.region, 2)  # the hub reports before it receives the answer
    farm.region.mend()
    minutes(farm.region, 5)
    assert hub_order == 6
    assert lease(farm).late == 0
    assert hub.lot(farm).reserved == 6
    assert lease(farm).held == hub.lot(farm).on_hand
    assert_consistent(farm.region)


def test_who_gives_back_waits_for_nothing_any_more(farm: Producer, hub: Hub, item: str) -> None:
    """The same units were granted and given back each minute, until the hub held all that it had ever asked for."""
    with pytest.raises(Refused):
        hub.order(item, 2000)  # of a hundred
    with hub.write() as tx:
        for table in (coordination, sale_session):
            tx.execute(update(table).values(closes_at=tx.now))
    minutes(farm.region, 3)
    assert lease(farm).held == hub.lot(farm).free == 0, "the sale is over"
    grants_before = count_grants(farm)
    minutes(farm.region, 5)
    assert count_grants(farm) == grants_before


# ------------------------------------------------------------------------------------------------ after a restore


def test_a_restored_hub_goes_on_with_the_orders_that_it_had_told(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    backup = Backup(hub, tmp_path)
    hub.order(item, 5)
    minutes(farm.region)
    order_before = only_order(farm)
    backup.restore()
    minutes(farm.region, 3)
    hub.order(item, 2, "Bea")
    minutes(farm.region, 2)
    assert only_order(farm).iri == only_order(hub).iri == order_before.iri
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(2, 2, "")], "who ordered five is not known any more"


def test_a_restored_producer_that_has_nothing_to_say_asks_within_a_minute(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    """It had forgotten orders and noticed only when it spoke, or when its peers had been silent for long."""
    hub.order(item, 1)
    minutes(farm.region)
    backup = Backup(farm, tmp_path)
    hub.order(item, 2, "Bea")
    minutes(farm.region, 2)
    backup.restore()
    clock_of(farm.region).advance(minutes=1)
    run_periodic(farm.instance, work_of(farm.instance))
    farm.region.work()
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(3, 3, "")]


def test_what_a_restored_hub_says_under_a_revision_given_before_is_said_again(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    """The producer took it for the earlier message with the same revision."""
    order = hub.order(item, 3)
    minutes(farm.region)
    backup = Backup(hub, tmp_path)
    cancel(hub, order.id)
    minutes(farm.region, 2)
    assert ordered_pieces(farm) == [(0, 0, "")]
    backup.restore()
    with hub.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id=hub.id)
        change_order(tx, hub.instance.hooks, locked, items={item: 4})
        send_session_orders(hub.federation, tx, order.session_id)  # before it knows what it had sent
    minutes(farm.region, 3)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(4, 4, "")]


def test_a_line_that_a_restored_hub_orders_anew_keeps_the_price_it_was_told_at(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    """The hub's backup had an older price; it ordered at that price, and the producer refused for ever."""
    hub.trust()
    cancel(hub, hub.order(item, 5).id)  # so that the hub holds some stock
    backup = Backup(hub, tmp_path)
    with farm.write() as tx:
        set_price(tx, farm.id, farm.item, 2300)
    farm.region.work()
    hub.order(item, 3)
    minutes(farm.region, 2)
    backup.restore()
    with hub.write() as tx:
        wish = Wish(items={item: 2}, name="Bea", email="bea@example.org", language="en")
        order = place_order(tx, hub.instance.hooks, "hub-session", wish)
        send_session_orders(hub.federation, tx, order.session_id)  # before it knows what it had sent
    minutes(farm.region, 3)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(2, 2, "")]
    assert [only_order(place).lines[0].price for place in (farm, hub)] == [2300, 2300]


def test_a_restored_hub_passes_on_again_what_it_had_passed_on(new_region: NewRegion, tmp_path: Path) -> None:
    """It looked for a sale of its own, of which there is none, and sent nothing more."""
    region = region_of_peers(new_region, "ab", "bc")
    farm, hub, shop = Producer(region, "a"), Hub(region, "b"), Hub(region, "c", "shop")
    farm.grant(hub, resell=True)
    regional = hub.as_producer(farm)
    regional.grant(shop)
    item = shop.sell(regional)
    shop.order(item, 3)  # it comes from the farm, through the hub
    minutes(region, 3)
    backup = Backup(hub, tmp_path)
    shop.order(item, 1, "Bea")
    minutes(region, 3)
    assert ordered_pieces(farm) == [(4, 4, "")]
    backup.restore()
    shop.order(item, 1, "Cleo")
    minutes(region, 4)
    with hub.read() as tx:
        assert tx.all(select(federation_order_due)) == []
    assert ordered_pieces(farm) == ordered_pieces(shop) == [(5, 5, "")]


def test_what_a_restored_producer_answers_under_a_number_given_before_is_said_again(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    hub.order(item, 5)
    minutes(farm.region)
    backup = Backup(farm, tmp_path)
    answer(farm, 3)
    minutes(farm.region)
    backup.restore()
    with farm.write() as tx:
        (order,) = orders_of(tx, farm.id)
        answer_line = AnswerLine(item_iri=order.lines[0].item_iri, answer="confirmed", confirmed=2, reason="frost")
        answer_order(farm.federation, tx, farm.id, order.id, {answer_line.item_iri: answer_line})
    minutes(farm.region, 5)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(2, 2, "shortened")]


def test_a_restored_producer_stands_by_its_answers(farm: Producer, hub: Hub, item: str, tmp_path: Path) -> None:
    backup = Backup(farm, tmp_path)
    hub.order(item, 5)
    minutes(farm.region)
    answer(farm, 3)
    minutes(farm.region)
    backup.restore()
    minutes(farm.region, 5)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(3, 3, "shortened")]


def test_a_restored_producer_hears_nothing_before_it_knows_what_it_had_said(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    """It fetched the order, and answered anew under the number of its forgotten answer."""
    backup = Backup(farm, tmp_path)
    hub.order(item, 1)
    minutes(farm.region)
    answer(farm, 0)
    with hub.write() as tx:
        for table in (coordination, sale_session):
            tx.execute(update(table).values(closes_at=tx.now))
    farm.region.cut("b", "a", one_way=True)
    minutes(farm.region, 2)  # its only order is cancelled, which the hub cannot tell it
    farm.region.mend()
    backup.restore()
    peer = farm.region.peer("a", "b")
    pull(farm.instance, Job("1", "federation.pull", {"peer": peer.id, "lane": "order"}, 1))
    minutes(farm.region, 5)
    assert ordered_pieces(hub) == ordered_pieces(farm) == [(0, 0, "refused")]


def test_a_restored_producer_gives_no_revision_twice(farm: Producer, hub: Hub, item: str, tmp_path: Path) -> None:
    backup = Backup(farm, tmp_path)
    with farm.write() as tx:
        set_price(tx, farm.id, farm.item, 2200)
    farm.region.work()
    assert [listing.price for listing in hub.received(farm)] == [2200]
    backup.restore()
    minutes(farm.region, 5)
    assert [listing.price for listing in hub.received(farm)] == [2000], "as it is listed now"


def test_what_a_restored_producer_had_offered_at_a_price_is_sold_at_it(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    """It has sent another price since the backup, under the revision that the hub knows with the old price."""
    cancel(hub, hub.order(item, 5).id)  # so that the hub holds some stock
    backup = Backup(farm, tmp_path)
    for price, restored in ((2200, True), (2100, False)):
        with farm.write() as tx:
            set_price(tx, farm.id, farm.item, price)
        if restored:
            farm.region.work()
            backup.restore()
    farm.region.work("a")
    assert [listing.price for listing in hub.received(farm)] == [2200]
    order = hub.order(item, 3)
    with hub.write() as tx:
        send_session_orders(hub.federation, tx, order.session_id)
    minutes(farm.region, 5)
    assert ordered_pieces(farm) == ordered_pieces(hub) == [(3, 3, "")]
    assert [only_order(place).lines[0].price for place in (farm, hub)] == [2200, 2200]


def test_nothing_is_handled_before_a_restored_instance_knows_what_it_had_said(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    backup = Backup(hub, tmp_path)
    hub.order(item, 5)
    minutes(farm.region)
    backup.restore()
    farm.region.cut("b", "a", one_way=True)  # so that the hub can fetch nothing
    answer(farm, 3)
    with hub.read() as tx:
        rows = tx.all(federation_inbox.select().where(federation_inbox.c.type == "OrderAnswer"))
    assert rows == []
    farm.region.mend()
    minutes(farm.region, 10)
    assert ordered_pieces(farm) == ordered_pieces(hub)
    assert Decimal(0) == lease(farm).late


def test_a_restored_lender_grants_no_request_twice(farm: Producer, hub: Hub, item: str, tmp_path: Path) -> None:
    backup = Backup(farm, tmp_path)
    hub.order(item, 3)
    backup.restore()
    minutes(farm.region, 5)
    (lease_at_hub,) = hub.leases()
    assert lease_at_hub.granted == lease(farm).granted
    assert lease(farm).held == hub.lot(farm).on_hand
    assert_consistent(farm.region)


def test_what_a_restored_hub_says_before_it_has_noticed_is_not_lost(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    """It was sent in the old epoch, under numbers that the producer knew from other messages."""
    hub.order(item, 2)
    minutes(farm.region, 2)
    backup = Backup(hub, tmp_path)
    with pytest.raises(Refused):
        hub.order(item, 2000)
    farm.region.work()
    backup.restore()
    give_all_back(hub, farm)
    minutes(farm.region, 3)
    assert_both_count_alike(farm, hub)


def test_a_restored_hub_that_reports_under_a_number_given_before_reports_again(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    """The producer took it for the earlier report of the same number, and missed what was given back."""
    hub.order(item, 2)
    minutes(farm.region, 2)
    backup = Backup(hub, tmp_path)
    with hub.write() as tx:
        report(hub.federation, tx, holdings_of(tx, [hub.lot(farm).id])[0])
    farm.region.work()
    backup.restore()
    with hub.write() as tx:  # nothing more is sold, requested or reported
        for table in (coordination, sale_session):
            tx.execute(update(table).values(closes_at=tx.now))
    give_all_back(hub, farm)
    minutes(farm.region, 3)
    assert_both_count_alike(farm, hub)


def test_what_a_restored_hub_sold_after_a_forced_return_is_not_on_sale_again(
    farm: Producer, hub: Hub, item: str, tmp_path: Path
) -> None:
    """Its reports came back before the forced return with which their counts begin, and were passed over."""
    cancel(hub, hub.order(item, 1).id)
    minutes(farm.region, 2)
    backup = Backup(hub, tmp_path)
    force(farm)
    minutes(farm.region)
    sold = hub.order(item, 3, "Bea")
    with hub.write() as tx:
        hand_order_over(tx, locked_order(tx, sold.id, enterprise_id=hub.id))
    minutes(farm.region, 2)
    assert lease(farm).sold == 3
    backup.restore()
    minutes(farm.region, 5)
    (lease_at_hub,) = hub.leases()
    assert lease(farm).sold == lease_at_hub.sold == 3
    assert lease_at_hub.epoch == 2
    assert lease(farm).returned == lease_at_hub.returned
    assert_consistent(farm.region)


def test_a_sale_that_is_undone_after_a_forced_return_had_counted_it_is_no_sale_below_zero(
    farm: Producer, hub: Hub, item: str
) -> None:
    """The job of each minute failed on it for ever, and the producer heard of no sale any more."""
    sold = hub.order(item, 3, "Bea")
    with hub.write() as tx:
        hand_order_over(tx, locked_order(tx, sold.id, enterprise_id=hub.id))
    minutes(farm.region, 2)
    force(farm)
    minutes(farm.region)
    with hub.write() as tx:
        undo_hand_over_of(tx, locked_order(tx, sold.id, enterprise_id=hub.id))
    cancel(hub, sold.id)
    minutes(farm.region, 5)
    lease_at_hub = hub.leases()[0]
    assert lease_at_hub.held == lease(farm).held
    assert lease_at_hub.sold == lease(farm).late == 0
    again = hub.order(item, 3, "Cyd")
    with hub.write() as tx:
        hand_order_over(tx, locked_order(tx, again.id, enterprise_id=hub.id))
    minutes(farm.region, 2)
    assert lease(farm).sold == lease(farm).late == 0
    assert farm.lot.on_hand == 97, "it is counted once"
    assert hub.lot(farm).on_hand == lease(farm).held


def give_all_back(hub: Hub, farm: Producer) -> None:
    lot = hub.lot(farm)
    with hub.write() as tx:
        (holding,) = holdings_of(tx, [lot.id])
        give_back(hub.federation, tx, holding, holding.free)


def assert_both_count_alike(farm: Producer, hub: Hub) -> None:
    assert lease(farm).returned == hub.leases()[0].returned > 0
    assert lease(farm).held == hub.lot(farm).on_hand
    assert_consistent(farm.region)
