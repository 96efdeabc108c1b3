"""Delivery: orders are brought within a zone, at its price, on rounds of limited capacity."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import IntegrityError

import commensal_delivery as delivery
from commensal import Address, Conflict, DemoPlace, Invalid, Order, Refused
from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import Instance
from commensal.parts.sale_calendar.clone import clone_coordination
from commensal.parts.serving.app import make_app
from commensal.parts.supply.moving_distribution import move_distribution
from commensal.sale_sessions.questions import sessions_of
from commensal.sale_sessions.sessions import change_session
from commensal.sale_sessions.tables import sale_session
from commensal.testing.drafts import a_draft, a_line
from commensal.testing.instances import Plan, RunJobs, client_of
from commensal.testing.placed import a_shop
from commensal.testing.shop import Shop, open_shop
from commensal_delivery.booking import DeliveryOption
from commensal_delivery.slots import Slot, add_slot, slot_by_id, slots_of
from commensal_delivery.tables import delivery_slot
from commensal_delivery.zones import DeliverySettings, Step, Zone
from commensal_pickup.places import add_place
from commensal_pickup.slots import add_slot as add_pickup_slot
from commensal_pickup.slots import slot_by_id as pickup_slot_by_id

PLUGINS = ("pickup", "delivery")
SESSION = "shop-session"
ZONES = DeliverySettings(
    zones=(
        Zone(
            id="centre",
            name="Tours",
            postcodes=("37000",),
            price=300,
            free_from=5000,
            steps=(Step(above=Decimal(10), price=700),),
        ),
        Zone(id="around", name="Touraine", postcodes=("37*",), price=600, minimum=2000),
    )
)
KEPT: dict[str, Any] = {
    "zones": [
        {
            "id": "centre",
            "name": "Tours",
            "postcodes": ["37000"],
            "price": 300,
            "free_from": 5000,
            "steps": [{"above": 10, "price": 700}],
        },
        {"id": "around", "name": "Touraine", "postcodes": ["37*"], "price": 600, "minimum": 2000},
    ]
}
TOURS = Address(street="2 rue Colbert", postcode="37000", city="Tours")
LOCHES = Address(street="1 place de Verdun", postcode="37600", city="Loches")
PARIS = Address(street="1 rue de Rivoli", postcode="75001", city="Paris")


class Van:
    """A shop with a round to both zones, and a hall where orders are collected."""

    def __init__(self, shop: Shop, capacity: int | None) -> None:
        self.shop, self.store = shop, shop.instance.store
        shop.use("delivery", KEPT)
        shop.use("pickup")
        with self.store.write() as tx:
            self.begins_at = tx.now + timedelta(days=2, hours=5)
            tx.execute(update(sale_session).values(ends_at=self.begins_at + timedelta(days=1)))
            times: Any = {"begins_at": self.begins_at, "ends_at": self.begins_at + timedelta(hours=3)}
            self.round = add_slot(tx, ZONES, "shop", SESSION, capacity=capacity, **times)
            self.centre = add_slot(tx, ZONES, "shop", SESSION, zone="centre", **times)
            hall = add_place(tx, "shop", name="Hall")
            self.hall = add_pickup_slot(tx, "shop", SESSION, place_id=hall.id, **times)

    def order(self, slot: Slot | None = None, address: Address | None = TOURS, **kwargs: Any) -> Order:
        return self.shop.order(shipping=f"delivery:{(slot or self.round).id}", address=address, **kwargs)

    def taken(self, slot: Slot | None = None) -> int:
        with self.store.read() as tx:
            return slot_by_id(tx, "shop", (slot or self.round).id).taken

    def options(self, address: Address | None = None, language: str = "en") -> dict[str, DeliveryOption]:
        with self.store.read() as tx:
            options = delivery.shipping_options(tx, "shop", SESSION, language, address, None, ZONES)
        return {option.id: option for option in options if isinstance(option, DeliveryOption)}

    def set_zones(self, zones: list[dict[str, Any]]) -> None:
        of_delivery = enterprise_plugin.c.plugin == "delivery"
        with self.store.write() as tx:
            tx.execute(update(enterprise_plugin).where(of_delivery).values(settings={"zones": zones}))


@pytest.fixture
def van(instance: Instance, clock: ManualClock) -> Any:
    with client_of(make_app(instance)) as client:
        van = Van(open_shop(instance, client, RunJobs(instance, clock), Plan()), capacity=3)
        yield van
        van.shop.check()


def fee(order: Order) -> list[tuple[str, int]]:
    return [(adjustment.label, adjustment.amount) for adjustment in order.adjustments]


def codes(error: Invalid) -> list[tuple[str, str]]:
    return [(problem.code, problem.where) for problem in error.problems]


# ------------------------------------------------------------------------------------------------ what is offered


def test_only_rounds_that_serve_the_postcode_are_offered(van: Van) -> None:
    assert set(van.options(TOURS)) == {van.round.id, van.centre.id}
    assert set(van.options(LOCHES)) == {van.round.id}
    assert van.options(PARIS) == {}
    assert van.options(replace(TOURS, country="BE")) == {}


def test_without_an_address_all_rounds_are_offered_from_their_least_price(van: Van) -> None:
    for nowhere in (None, Address(street="2 rue Colbert")):
        options = van.options(nowhere)
        assert [(option.price, option.needs_address) for option in options.values()] == [(300, True), (300, True)]
    assert van.options()[van.round.id].address == "Tours, Touraine"


def test_an_option_tells_the_terms_of_its_zone(van: Van) -> None:
    (loches,) = van.options(LOCHES, "fr").values()
    assert loches.label.startswith("Livraison, samedi 6 juin 2026")
    assert (loches.price, loches.address) == (600, "à partir de 20,00\xa0€ de commande")
    tours = van.options(TOURS)[van.centre.id]
    assert tours.label.startswith("Delivery to Tours, Saturday")
    assert tours.address == "free of charge from €50.00, more for heavy orders"


def test_a_round_is_offered_for_what_the_basket_costs_to_bring(van: Van) -> None:
    shipping = f"delivery:{van.round.id}"
    van.set_zones([{**KEPT["zones"][0], "free_from": 20_000}])
    for goods, price in (({"carrots": 4}, 300), ({"chicken": 6}, 700), ({"carrots": 80}, 0)):
        offered = van.shop.shipping_options(address=TOURS, goods=goods)[shipping]
        charged = van.shop.quote(goods, shipping=shipping, address=TOURS).totals.adjustments
        assert (offered.price, charged) == (price, price), goods


def test_a_quote_is_worked_out_for_the_address_or_from_the_least_price(van: Van) -> None:
    shipping = f"delivery:{van.round.id}"
    prices = [
        van.shop.quote(shipping=shipping, address=address).totals.adjustments for address in (None, TOURS, LOCHES)
    ]
    assert prices == [300, 300, 600]


# ------------------------------------------------------------------------------------------------ orders


def test_an_order_that_is_brought_takes_a_place_and_pays_for_its_zone(van: Van) -> None:
    order = van.order(address=LOCHES, goods={"honey": 3})
    assert fee(order) == [("Delivery to Touraine", 600)]
    assert (order.adjustments[0].vat_rate, order.adjustments[0].plugin) == (Decimal(20), "delivery")
    assert order.shipping_label.startswith("Delivery, Saturday")
    assert (order.address, van.taken()) == (LOCHES, 1)


def test_weight_and_value_set_the_price_again_when_the_order_changes(van: Van) -> None:
    assert fee(van.order(goods={"carrots": 4})) == [("Delivery to Tours", 300)]
    assert fee(van.shop.change({"carrots": 20})) == [], "50 euros: it is free"
    assert fee(van.shop.change({"carrots": 4})) == [("Delivery to Tours", 300)]
    assert fee(van.shop.change({"carrots": 4, "chicken": 1})) == [("Delivery to Tours", 300)]
    van.set_zones([{**KEPT["zones"][0], "free_from": None}])
    assert fee(van.shop.change({"carrots": 4, "chicken": 6})) == [("Delivery to Tours", 700)], "12 kg"


def test_an_address_that_is_missing_or_out_of_the_way_is_refused_at_its_field(van: Van) -> None:
    for address, expected in (
        (PARIS, [("no_delivery", "/address/postcode")]),
        (Address(postcode="37000"), [("address_missing", "/address/street"), ("address_missing", "/address/city")]),
        (None, [("address_missing", f"/address/{name}") for name in ("street", "postcode", "city")]),
    ):
        with pytest.raises(Invalid) as refused:
            van.order(address=address)
        assert codes(refused.value) == expected
    with pytest.raises(Invalid, match="We do not deliver to 75001"):
        van.order(address=PARIS, by_hub=True)
    assert van.taken() == 0


def test_a_round_to_another_zone_is_refused(van: Van) -> None:
    with pytest.raises(Invalid) as refused:
        van.order(van.centre, address=LOCHES, goods={"honey": 3})
    assert codes(refused.value) == [("other_zone", "/shipping")]


def test_an_order_below_the_least_value_of_its_zone_is_refused_with_the_amount(van: Van) -> None:
    with pytest.raises(Invalid, match=r"Delivery to Touraine is for orders of €?20") as refused:
        van.order(address=LOCHES, goods={"carrots": 7}, total=1)  # before a total that was not shown
    assert codes(refused.value) == [("below_minimum", "/items")]
    assert van.taken() == 0, "a refused order takes no place"
    assert van.order(address=LOCHES, goods={"carrots": 8})


def test_a_customer_who_moves_is_priced_and_refused_as_if_they_ordered_anew(van: Van) -> None:
    van.order(goods={"carrots": 8})
    assert fee(van.shop.change(address=LOCHES)) == [("Delivery to Touraine", 600)]
    with pytest.raises(Invalid, match="We do not deliver to 75001"):
        van.shop.change(address=PARIS)
    van.shop.change(shipping=f"delivery:{van.centre.id}", address=TOURS)
    with pytest.raises(Invalid) as refused:
        van.shop.change(address=LOCHES)
    assert codes(refused.value) == [("other_zone", "/shipping")]


def test_the_hub_cannot_send_the_van_where_it_does_not_go(van: Van) -> None:
    van.order(van.centre, goods={"carrots": 8})
    with pytest.raises(Invalid, match="We do not deliver to 75001"):
        van.shop.change(address=PARIS, by_hub=True)
    with pytest.raises(Invalid) as refused:
        van.shop.change(address=LOCHES, by_hub=True)
    assert codes(refused.value) == [("other_zone", "/shipping")]
    assert van.shop.see().address == TOURS
    van.set_zones([])
    assert van.shop.change({"carrots": 9}).address == TOURS, "an accepted address stays, whatever became of the zones"


# ------------------------------------------------------------------------------------------------ afterwards


def test_weighing_is_possible_whatever_has_become_of_the_zones(van: Van) -> None:
    order = van.order(address=LOCHES, goods={"chicken": 1})
    van.shop.close()
    weighed_order = van.shop.weigh({"chicken": "1.2"})
    assert fee(weighed_order) == [("Delivery to Touraine", 600)], "14.40 euros now, but it was ordered for 24"
    van.set_zones([KEPT["zones"][0]])
    weighed_order = van.shop.weigh({"chicken": "1.9"})
    assert fee(weighed_order) == [("Delivery to Touraine", 600)], "no zone goes there any more: it costs what it cost"
    van.set_zones([])
    assert fee(van.shop.weigh({"chicken": "1.87"})) == fee(weighed_order)
    assert van.shop.see(order).products_total == 2244


def test_what_was_free_stays_free_when_the_scales_say_less(van: Van) -> None:
    van.order(goods={"chicken": 3})
    assert fee(van.shop.weigh({"chicken": "4"})) == []


def test_places_are_given_back_by_cancelling_and_by_collecting_instead(van: Van) -> None:
    first_order, second_order = van.order(), van.order()
    assert van.taken() == 2
    collected_order = van.shop.change(order=first_order, shipping=f"pickup:{van.hall.id}")
    assert (van.taken(), collected_order.adjustments) == (1, ())
    brought_order = van.shop.change(order=collected_order, shipping=f"delivery:{van.centre.id}")
    assert (van.taken(), van.taken(van.centre), fee(brought_order)) == (1, 1, [("Delivery to Tours", 300)])
    with van.store.read() as tx:
        assert pickup_slot_by_id(tx, "shop", van.hall.id).taken == 0
    van.shop.cancel(second_order)
    assert (van.taken(), van.taken(van.centre)) == (0, 1)


def test_the_hub_orders_after_the_close_and_below_the_least_value(van: Van) -> None:
    van.shop.close()
    with pytest.raises(Conflict, match="closed"):
        van.order(address=LOCHES)
    order = van.order(address=LOCHES, goods={"carrots": 1}, by_hub=True)
    assert (fee(order), van.taken()) == ([("Delivery to Touraine", 600)], 1)


def test_a_round_to_a_zone_that_is_gone_takes_no_more_orders(van: Van) -> None:
    with van.store.read() as tx:
        later_settings = DeliverySettings(zones=(ZONES.zones[1],))
        options = {
            shipping_option.id: shipping_option.left
            for shipping_option in delivery.shipping_options(tx, "shop", SESSION, "en", None, None, later_settings)
        }
    assert options == {van.round.id: 3, van.centre.id: 0}


# ------------------------------------------------------------------------------------------------ the last place


def test_eight_race_for_three_places_in_the_van_and_three_get_them(van: Van) -> None:
    start, outcomes = threading.Barrier(8), list[str]()

    def order() -> None:
        draft = a_draft(
            a_line(), session_id=SESSION, enterprise_id="shop", address=TOURS, shipping=f"delivery:{van.round.id}"
        )
        start.wait()
        try:
            with van.store.write() as tx:
                delivery.book_shipping(tx, draft, van.round.id, "en", ZONES)
            outcomes.append("booked")
        except Refused as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=order) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["booked"] * 3 + ["slot_full"] * 5
    assert van.taken() == 3
    assert van.options(TOURS)[van.round.id].left == 0


def test_two_who_change_to_the_last_place_at_once_do_not_both_get_it(van: Van) -> None:
    orders = [van.shop.order(shipping=f"pickup:{van.hall.id}", address=TOURS) for _ in range(2)]
    with van.store.write() as tx:
        tx.execute(update(delivery_slot).where(delivery_slot.c.id == van.round.id).values(capacity=1))
    start, outcomes = threading.Barrier(2), list[str]()

    def change(order: Order) -> None:
        start.wait()
        try:
            van.shop.change(order=order, shipping=f"delivery:{van.round.id}")
            outcomes.append("changed")
        except Refused as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=change, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["changed", "slot_full"]
    with van.store.read() as tx:
        assert pickup_slot_by_id(tx, "shop", van.hall.id).taken == 1, "who was refused still collects"
    assert van.taken() == 1


def test_the_database_itself_refuses_an_overbooked_slot(van: Van) -> None:
    with pytest.raises(IntegrityError), van.store.write() as tx:
        tx.execute(delivery_slot.update().values(taken=4, capacity=3))


# ------------------------------------------------------------------------------------------------ slots, copies, demo


def test_slots_over_the_api(van: Van) -> None:
    times = {"begins_at": "2026-06-06T15:00:00Z", "ends_at": "2026-06-06T17:00:00Z"}
    slots = f"/-/delivery/sale-sessions/{SESSION}/slots"
    created = van.shop.ask("POST", slots, {**times, "zone": "around", "capacity": 5})
    assert (created["zone"], created["timezone"], len(van.shop.ask("GET", slots))) == ("around", "Europe/Paris", 3)
    refusal = van.shop.try_to_ask("POST", slots, {**times, "zone": "moon"})
    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (422, "/zone")
    slot_url = f"/-/delivery/slots/{created['id']}"
    assert van.shop.ask("PATCH", slot_url, {"zone": "", "capacity": 4}, version=1)["zone"] == ""
    van.shop.ask("DELETE", slot_url, version=2)
    van.order()
    refused = van.shop.try_to_ask("DELETE", f"/-/delivery/slots/{van.round.id}", version=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "taken")


def test_slots_of_another_shop_are_not_there(van: Van) -> None:
    van.shop.neighbour()
    draft = a_draft(a_line(), session_id="neighbour-session", enterprise_id="neighbour", address=TOURS)
    with van.store.write() as tx:
        assert slots_of(tx, "neighbour", SESSION) == []
        with pytest.raises(Invalid) as refused:
            delivery.book_shipping(tx, draft, van.round.id, "en", ZONES)
    assert codes(refused.value) == [("no_slot", "/shipping")]


def test_a_copied_sale_has_its_rounds_at_the_same_hours_and_empty(van: Van) -> None:
    van.order()
    zone = ZoneInfo("Europe/Paris")
    with van.store.write() as tx:
        opens_at = datetime.combine(date(2026, 11, 4), (tx.now - timedelta(days=1)).astimezone(zone).time(), zone)
        copied_sale = clone_coordination(tx, van.shop.instance.hooks, "shop-sale", "shop", opens_at.astimezone(UTC))
        (session,) = sessions_of(tx, copied_sale.id, "shop")
        slots = slots_of(tx, "shop", session.id)
    local = {(slot.begins_at.astimezone(zone).hour, slot.zone, slot.capacity, slot.taken) for slot in slots}
    assert local == {(17, "", 3, 0), (17, "centre", None, 0)}
    assert {slot.begins_at.utcoffset() for slot in slots} == {timedelta(0)}
    van.set_zones([KEPT["zones"][1]])
    with van.store.write() as tx:
        second_copy = clone_coordination(
            tx, van.shop.instance.hooks, "shop-sale", "shop", (opens_at + timedelta(days=7)).astimezone(UTC)
        )
        (session,) = sessions_of(tx, second_copy.id, "shop")
        assert [slot.zone for slot in slots_of(tx, "shop", session.id)] == [""], "the centre is not a zone any more"


def test_rounds_follow_a_moved_sale_and_one_with_an_order_stays_for_that_order_alone(van: Van) -> None:
    order, week = van.order(), timedelta(days=7)
    with van.store.write() as tx:
        (sale,) = sessions_of(tx, "shop-sale", "shop")
        hooks, moved = van.shop.instance.hooks, (sale.begins_at + week, sale.ends_at + week)
        change_session(tx, hooks, sale.id, "shop", sale.version, begins_at=moved[0], ends_at=moved[1])
        begin = {slot.id: slot.begins_at - van.begins_at for slot in slots_of(tx, "shop", SESSION)}
    assert begin == {van.round.id: timedelta(0), van.centre.id: week}
    assert {id: option.left for id, option in van.options(TOURS).items()} == {van.round.id: 0, van.centre.id: None}
    with pytest.raises(Conflict, match="outside the hand-out; please choose another") as refused:
        van.order()
    assert refused.value.code == "slot_outside"
    changed = van.shop.change(order=order, goods={"carrots": 3})
    assert changed.shipping == f"delivery:{van.round.id}", "its customer keeps it until somebody moves the order"
    van.shop.change(order=order, shipping=f"delivery:{van.centre.id}")
    assert list(van.options(TOURS)) == [van.centre.id]
    with van.store.write() as tx:
        (sale,) = sessions_of(tx, "shop-sale", "shop")
        move_distribution(tx, hooks, sale.id, "shop", sale.version, sale.begins_at + timedelta(days=1))
    assert van.options(TOURS)[van.centre.id].begins_at == van.begins_at + week + timedelta(days=1), "with its order"


def test_other_orders_cost_nothing_and_ask_nothing(van: Van) -> None:
    option = van.options(TOURS)[van.round.id]
    draft = a_draft(a_line(), shipping=f"delivery:{option.id}", shipping_option=option, address=TOURS)
    statements: list[str] = []
    event.listen(van.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with van.store.read() as tx:
        count_before = len(statements)
        assert delivery.price_adjustments(tx, draft, ZONES)
        assert not delivery.price_adjustments(tx, replace(draft, shipping="pickup:x"), ZONES)
        assert delivery.order_problems(replace(draft, shipping=""), ZONES) is None
        assert len(statements) == count_before


def test_the_demo_has_one_hub_with_a_van(van: Van) -> None:
    instance = van.shop.instance
    with van.store.write() as tx:
        for name, expected in (("La Halle d’Alba", True), ("Le Panier", None)):
            shop = a_shop(tx, name, name=name, city="Bourg", postcode="37210")
            tx.execute(enterprise_plugin.insert().values(enterprise_id=shop, plugin="delivery", settings={}, version=1))
            place = DemoPlace(instance=instance, enterprise_id=shop, seed=7)
            assert delivery.demo_data(tx, place) is expected
        assert len(slots_of(tx, "La Halle d’Alba", "La Halle d’Alba-session")) == 1
        stored_settings = tx.value(
            select(enterprise_plugin.c.settings).where(enterprise_plugin.c.enterprise_id == "La Halle d’Alba")
        )
    assert [zone["postcodes"] for zone in stored_settings["zones"]] == [["37210"], ["37*"]]
