"""An order from the request to the hand-over: the stock it takes, its cost, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid, NotFound, Refused, SoldOut, Stale
from commensal.catalogs.tables import offer
from commensal.enterprises.customers import customer_for
from commensal.enterprises.tables import enterprise
from commensal.hooks.dispatcher import Hooks
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders import lines
from commensal.orders.cancel import cancel_order
from commensal.orders.cart import cart_items, cart_of, fill_cart, open_cart
from commensal.orders.change import change_order
from commensal.orders.fulfil import complete_due, hand_order_over, order_is_ready, weigh_order
from commensal.orders.lock import locked_order
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id, orders_of_session
from commensal.orders.quote import quote_order
from commensal.orders.tables import customer_order
from commensal.orders.values import Order, Wish
from commensal.parts.checks import broken_invariants
from commensal.parts.distribution.distribution import parcels, product_totals
from commensal.parts.order_corrections.merge import revive_order
from commensal.parts.order_corrections.substitutes import shorten_order, substitute
from commensal.products.tables import supplied_product
from commensal.sale_sessions.on_sale import take_off_sale
from commensal.sale_sessions.tables import coordination_supplier
from commensal.stock.tables import stock_lot
from commensal.storage.database import Store, Transaction
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item


@dataclass(frozen=True)
class Market:
    """A shop with a heap of potatoes in two sizes, eggs with a deposit, and a chicken sold by weight."""

    store: Store
    hooks: Hooks
    small: str
    large: str
    eggs: str
    chicken: str
    heap: str

    def wish(self, items: dict[str, int], **kwargs: Any) -> Wish:
        return Wish(items=items, name="Ada Martin", email="ada@example.org", **kwargs)

    def place(self, items: dict[str, int], **kwargs: Any) -> Order:
        with self.store.write() as tx:
            return place_order(tx, self.hooks, "shop-session", self.wish(items, **kwargs))

    def hub(self, order: Order, act: Callable[[Transaction, Order], Order]) -> Order:
        with self.store.write() as tx:
            return act(tx, locked_order(tx, order.id, enterprise_id="shop"))

    def level(self, lot: str) -> tuple[int, int, int]:
        with self.store.read() as tx:
            row = tx.one(select(stock_lot.c.free, stock_lot.c.reserved, stock_lot.c.sold).where(stock_lot.c.id == lot))
        return row["free"], row["reserved"], row["sold"]

    def mails(self) -> list[str]:
        with self.store.read() as tx:
            return [row["payload"]["kind"] for row in tx.all(select(job.c.payload).order_by(job.c.id))]


@pytest.fixture
def market(store: Store, clock: ManualClock) -> Iterator[Market]:
    with store.write() as tx:
        a_shop(tx)
        lot = a_lot(tx, name="Pommes de terre", unit="Kilogram", on_hand="50")
        kilo: dict[str, Any] = {"unit": "Kilogram"}
        market = Market(
            store,
            load_plugins(InstanceSettings(name="Test"), clock=clock),
            small=an_item(tx, lot, name="Pommes de terre 1 kg", price=220, grains=1000, **kilo),
            large=an_item(tx, lot, name="Pommes de terre 5 kg", price=900, grains=5000, quantity=Decimal(5), **kilo),
            eggs=an_item(tx, a_lot(tx, name="Œufs"), name="Œufs par 6", price=199, deposit=20),
            chicken=an_item(
                tx,
                a_lot(tx, name="Poulet", unit="Kilogram", on_hand="20"),
                name="Poulet",
                price=2400,
                grains=2000,
                quantity=Decimal(2),
                unit="Kilogram",
                weighed=True,
            ),
            heap=lot,
        )
    yield market
    with store.read() as tx:
        assert broken_invariants(tx) == []


def test_an_order_takes_stock_gets_a_number_and_promises_a_mail(market: Market) -> None:
    order = market.place({market.small: 3, market.eggs: 2})
    assert (order.number, order.state, order.payment_state, order.fulfilment_state) == (
        1,
        "Held",
        "Unpaid",
        "Unfulfilled",
    )
    assert (order.products_total, order.deposits_total, order.total) == (3 * 220 + 2 * 199, 40, 1098)
    assert market.level(market.heap) == (47_000, 3_000, 0)
    assert market.mails() == ["order_placed"]


def test_what_was_written_is_what_was_answered(market: Market) -> None:
    order = market.place({market.small: 1, market.chicken: 1}, note="Merci", phone="01 23 45")
    with market.store.read() as tx:
        assert order_by_id(tx, order.id, enterprise_id="shop") == order


def test_a_customer_corrects_note_and_telephone_and_adds_what_was_forgotten(market: Market) -> None:
    order = market.place({market.small: 1}, note="Merci", phone="01 23 45")
    more = {market.small: 1, market.eggs: 1}
    changed = market.hub(order, lambda tx, old: change_order(tx, market.hooks, old, items=more, phone="06 78 90"))
    assert (changed.note, changed.phone, len(changed.lines)) == ("Merci", "06 78 90", 2)
    assert changed.total > order.total
    again = market.hub(changed, lambda tx, old: change_order(tx, market.hooks, old, note="at the back door"))
    assert (again.note, again.phone, len(again.lines)) == ("at the back door", "06 78 90", 2)


def test_an_order_takes_only_telephone_numbers_but_keeps_what_it_or_its_customer_has(market: Market) -> None:
    wrong = "ask at the bakery"
    with pytest.raises(Invalid, match="not a telephone number"):
        market.place({market.small: 1}, phone=wrong)
    with pytest.raises(Invalid, match="not a telephone number"), market.store.write() as tx:
        place_order(tx, market.hooks, "shop-session", market.wish({market.small: 1}, phone=wrong), by_hub=True)
    order = market.place({market.small: 1}, phone=" 06 39 98 58 66 ")
    assert order.phone == "06 39 98 58 66"
    with pytest.raises(Invalid, match="not a telephone number"):
        market.hub(order, lambda tx, old: change_order(tx, market.hooks, old, phone=wrong))
    with market.store.write() as tx:  # from the time when any text was taken
        tx.execute(update(customer_order).values(phone=wrong))
        record = customer_for(tx, "shop", email="old@example.org", name="Old", phone=wrong)
    noted = market.hub(order, lambda tx, old: change_order(tx, market.hooks, old, phone=wrong, note="Merci"))
    with market.store.write() as tx:
        wish = replace(market.wish({market.small: 1}, phone=wrong), email=record.email)
        by_telephone = place_order(tx, market.hooks, "shop-session", wish, by_hub=True, customer_id=record.id)
    assert (noted.phone, by_telephone.phone) == (wrong, wrong)


def test_vat_is_worked_out_once_for_the_rate_and_lies_inside_the_price(market: Market) -> None:
    order = market.place({market.small: 3, market.eggs: 2})
    (share,) = order.vat
    assert (share.rate, share.net, share.vat) == (Decimal("5.5"), 1003, 55)  # 1058 / 1.055 = 1002.84…
    assert order.vat_total == 55


def test_sizes_of_one_heap_share_it_and_lines_of_one_lot_are_taken_together(market: Market) -> None:
    market.place({market.small: 5, market.large: 8})
    assert market.level(market.heap) == (5_000, 45_000, 0)
    with pytest.raises(SoldOut) as error:
        market.place({market.small: 1, market.large: 1})
    (problem,) = error.value.problems
    assert (problem.values["name"], str(problem.values["left"])) == ("Pommes de terre", "5 kg")
    assert market.level(market.heap) == (5_000, 45_000, 0)


def test_a_refused_order_leaves_no_trace_and_no_gap_in_the_numbers(market: Market) -> None:
    with pytest.raises(SoldOut):
        market.place({market.large: 11})
    with pytest.raises(Conflict, match="total has changed"):
        market.place({market.small: 1}, total=1)
    assert market.place({market.small: 1}, total=220).number == 1
    assert market.mails() == ["order_placed"]


def test_every_mistake_of_a_wish_is_named_at_once(market: Market) -> None:
    with pytest.raises(Invalid) as error, market.store.write() as tx:
        place_order(tx, market.hooks, "shop-session", Wish(items={}, name=" ", email="nobody", payment_method="x:y"))
    assert [problem.where for problem in error.value.problems] == ["/email", "/name", "/items", "/payment_method"]


@pytest.mark.parametrize("quantity", [0, -1, 10_001])
def test_impossible_quantities_are_refused(market: Market, quantity: int) -> None:
    with pytest.raises(Invalid, match="between 1 and 10000"):
        market.place({market.small: quantity})


def test_an_item_of_another_sale_is_refused_by_name(market: Market) -> None:
    with market.store.write() as tx:
        a_shop(tx, "other")
        foreign = an_item(tx, a_lot(tx, "other"), "other")
    with pytest.raises(Conflict) as error:
        market.place({market.small: 1, foreign: 1})
    assert [problem.where for problem in error.value.problems] == [f"/items/{foreign}"]


def test_a_sale_is_open_by_time_alone(market: Market, clock: ManualClock) -> None:
    clock.advance(days=-1, seconds=-1)
    with pytest.raises(Conflict, match="closed"):
        market.place({market.small: 1})
    clock.advance(days=2)
    assert market.place({market.small: 1}).number == 1
    clock.advance(seconds=1)
    with pytest.raises(Conflict, match="Vente de juin is closed"):
        market.place({market.small: 1})


def test_a_suppliers_own_cut_off_closes_its_products_earlier(market: Market, clock: ManualClock) -> None:
    with market.store.write() as tx:
        cut = {"coordination_id": "shop-sale", "enterprise_id": "shop", "closes_at": clock.now()}
        tx.execute(coordination_supplier.insert().values(cut))
    with pytest.raises(Conflict) as error:
        market.place({market.small: 1})
    assert "Orders for Pommes de terre 1 kg have closed" in str(error.value.problems[0])


def test_a_hidden_shop_is_not_there_for_strangers(market: Market) -> None:
    with market.store.write() as tx:
        tx.execute(update(enterprise).values(visibility="hidden"))
    with pytest.raises(NotFound):
        market.place({market.small: 1})


def test_the_hub_takes_orders_after_the_close(market: Market, clock: ManualClock) -> None:
    clock.advance(days=3)
    with market.store.write() as tx:
        complete_due(tx)
        order = place_order(tx, market.hooks, "shop-session", market.wish({market.small: 1}), by_hub=True)
    assert (order.number, order.state) == (1, "Complete")


# ------------------------------------------------------------------------------------------------ carts


def test_a_cart_reserves_nothing_and_is_gone_when_its_order_is_placed(market: Market) -> None:
    with market.store.write() as tx:
        cart = open_cart(tx, "shop-session", language="fr", secret_hash="s")
        fill_cart(tx, cart, {market.small: 2, market.eggs: 0})
        assert open_cart(tx, "shop-session", language="fr", secret_hash="s") == cart
    assert market.level(market.heap) == (50_000, 0, 0)
    with market.store.write() as tx:
        assert cart_items(tx, cart) == {market.small: 2}
        place_order(tx, market.hooks, "shop-session", market.wish(cart_items(tx, cart)), cart_id=cart, secret="t")
    with market.store.read() as tx:
        assert cart_of(tx, "shop-session", secret_hash="s") is None
        assert tx.value(select(func.count()).select_from(customer_order)) == 1


def test_a_quote_says_the_price_and_writes_nothing(market: Market) -> None:
    with market.store.read() as tx:
        quote = quote_order(tx, market.hooks, "shop-session", {market.small: 2, market.eggs: 1}, language="fr")
    assert quote.quote.totals.total == 2 * 220 + 199 + 20
    assert market.level(market.heap) == (50_000, 0, 0)


# ------------------------------------------------------------------------------------------------ changes


def test_a_customer_changes_until_the_close_and_stock_follows(market: Market, clock: ManualClock) -> None:
    order = market.place({market.small: 3, market.eggs: 1})
    changed = market.hub(
        order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 1, market.large: 1})
    )
    assert {line.name: line.quantity for line in changed.lines} == {
        "Pommes de terre 1 kg": 1,
        "Pommes de terre 5 kg": 1,
    }
    assert (changed.total, changed.version, changed.number) == (220 + 900, 2, 1)
    assert market.level(market.heap) == (44_000, 6_000, 0)
    assert market.mails() == ["order_placed", "order_changed"]
    clock.advance(days=1)
    with pytest.raises(Conflict, match="closed"):
        market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 1}))


def _terms(order: Order) -> list[tuple[int, int]]:
    return [(line.price, line.quantity) for line in order.lines]


def test_what_was_ordered_keeps_its_price_and_more_of_it_costs_todays(market: Market) -> None:
    order = market.place({market.small: 2})
    with market.store.write() as tx:
        tx.execute(update(offer).values(price=offer.c.price * 2))
    enlarged = market.hub(
        order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 5, market.eggs: 1})
    )
    assert _terms(enlarged) == [(220, 2), (440, 3), (398, 1)]
    assert enlarged.total == 2 * 220 + 3 * 440 + 398 + 20
    assert market.level(market.heap) == (45_000, 5_000, 0)
    reduced = market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 3}))
    assert _terms(reduced) == [(220, 2), (440, 1)]  # what was ordered first stays longest
    smallest = market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 1}))
    assert _terms(smallest) == [(220, 1)]


def test_more_at_an_unchanged_offer_stands_on_the_same_line(market: Market) -> None:
    order = market.place({market.small: 2, market.chicken: 1})
    enlarged = market.hub(
        order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 5, market.chicken: 3})
    )
    assert _terms(enlarged) == [(220, 5), (2400, 3)]
    assert [line.id for line in enlarged.lines] == [line.id for line in order.lines]


@pytest.mark.parametrize("by_hub", [False, True])
def test_no_more_is_ordered_of_what_was_taken_off_sale_but_fewer_may_be(market: Market, by_hub: bool) -> None:
    order = market.place({market.small: 3})
    with market.store.write() as tx:
        take_off_sale(tx, "shop-session", "shop", [market.small])
    with pytest.raises(Conflict) as error:
        market.hub(
            order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 4}, by_hub=by_hub)
        )
    assert [(problem.code, problem.where) for problem in error.value.problems] == [
        ("not_on_sale", f"/items/{market.small}")
    ]
    reduced = market.hub(
        order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 2}, by_hub=by_hub)
    )
    assert (_terms(reduced), reduced.total) == ([(220, 2)], 440)


@pytest.mark.parametrize("pieces", [10_001, 999_999_999, -1])
@pytest.mark.parametrize("by_hub", [False, True])
def test_a_change_keeps_within_the_limits_of_an_order(market: Market, pieces: int, by_hub: bool) -> None:
    with market.store.write() as tx:
        tx.execute(update(stock_lot).values(unlimited=True))
    order = market.place({market.small: 3})
    with pytest.raises(Invalid, match="between 1 and 10000"):
        market.hub(
            order,
            lambda tx, current: change_order(tx, market.hooks, current, items={market.small: pieces}, by_hub=by_hub),
        )
    added = {market.small: 9_999, market.eggs: 1}
    market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items=added, by_hub=by_hub))


def test_a_change_makes_no_more_lines_than_an_order_may_have(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    order = market.place({market.small: 3, market.eggs: 1})
    monkeypatch.setattr(lines, "MOST_LINES", 2)
    with market.store.write() as tx:
        tx.execute(update(offer).values(price=offer.c.price * 2))
    with pytest.raises(Invalid, match="at most 2 lines"):
        market.hub(
            order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 4, market.eggs: 1})
        )


# ------------------------------------------------------------------------------------------------ suppliers' cut-offs


def test_after_a_suppliers_cut_off_its_lines_stay_and_the_supplier_is_named(market: Market, clock: ManualClock) -> None:
    with market.store.write() as tx:
        a_shop(tx, "farm")
        tx.execute(update(supplied_product).where(supplied_product.c.name == "Œufs par 6").values(enterprise_id="farm"))
        values = {"coordination_id": "shop-sale", "enterprise_id": "farm", "closes_at": tx.now + timedelta(hours=1)}
        tx.execute(insert(coordination_supplier).values(values))
    order = market.place({market.small: 3, market.eggs: 2})
    clock.advance(hours=2)
    reason = "farm needs its orders earlier, and they have closed: Œufs par 6 stays as it was ordered."
    with pytest.raises(Conflict, match="Take out the rest by changing it") as error:
        market.hub(order, lambda tx, current: cancel_order(tx, market.hooks, current))
    assert [str(problem) for problem in error.value.problems] == [f"/items/{market.eggs}: {reason}"]
    with pytest.raises(Conflict) as error:
        market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items={market.eggs: 1}))
    assert [str(problem) for problem in error.value.problems] == [f"/items/{market.eggs}: {reason}"]
    reduced = market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items={market.eggs: 2}))
    assert [line.name for line in reduced.lines] == ["Œufs par 6"]
    assert (
        market.hub(order, lambda tx, current: cancel_order(tx, market.hooks, current, by_hub=True)).state == "Cancelled"
    )


def test_a_change_that_cannot_be_changes_nothing(market: Market) -> None:
    order = market.place({market.small: 3})
    with pytest.raises(SoldOut):
        market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items={market.large: 20}))
    with pytest.raises(Conflict, match="Nothing would be left"):
        market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items={}))
    with market.store.read() as tx:
        assert order_by_id(tx, order.id, enterprise_id="shop") == order


def test_an_order_that_somebody_else_changed_meanwhile_is_stale(market: Market) -> None:
    order = market.place({market.small: 3})
    market.hub(order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 2}))
    with pytest.raises(Stale), market.store.write() as tx:
        locked_order(tx, order.id, enterprise_id="shop", version=order.version)


def test_orders_of_others_are_not_there(market: Market) -> None:
    order = market.place({market.small: 1})
    with market.store.read() as tx, pytest.raises(NotFound):
        order_by_id(tx, order.id, enterprise_id="another")


@pytest.mark.parametrize(("restock", "free"), [(True, 50_000), (False, 47_000)])
def test_cancelling_gives_the_goods_back_or_not(market: Market, restock: bool, free: int) -> None:
    order = market.place({market.small: 3})
    cancelled = market.hub(
        order, lambda tx, current: cancel_order(tx, market.hooks, current, restock=restock, by_hub=True)
    )
    assert (cancelled.state, cancelled.payment_state, cancelled.fulfilment_state) == ("Cancelled",) * 3
    assert market.level(market.heap) == (free, 0, 0)
    assert market.mails()[-1] == "order_cancelled"
    with pytest.raises(Conflict, match="was cancelled"):
        market.hub(order, lambda tx, current: cancel_order(tx, market.hooks, current, by_hub=True))


def test_a_cancelled_order_stands_again_until_the_close_if_its_goods_are_there(
    market: Market, clock: ManualClock
) -> None:
    def act(tx: Transaction, current: Order) -> Order:
        return revive_order(tx, market.hooks, current)

    def cancel(order: Order, *, restock: bool) -> None:
        market.hub(order, lambda tx, current: cancel_order(tx, market.hooks, current, restock=restock, by_hub=True))

    order, lost = market.place({market.small: 3}), market.place({market.small: 1})
    with pytest.raises(Conflict, match="is not cancelled"):
        market.hub(order, act)
    cancel(order, restock=True)
    cancel(lost, restock=False)
    revived = market.hub(order, act)
    assert (revived.state, revived.payment_state, revived.fulfilment_state) == ("Held", "Unpaid", "Unfulfilled")
    assert (revived.lines, revived.total, revived.restocked) == (order.lines, order.total, None)
    assert market.level(market.heap) == (46_000, 3_000, 0)
    assert market.mails()[-1] == "order_placed"
    with pytest.raises(Conflict, match="are lost"):
        market.hub(lost, act)
    cancel(order, restock=True)
    clock.advance(days=1)
    with pytest.raises(Conflict, match="closed"):
        market.hub(order, act)
    assert market.level(market.heap) == (49_000, 0, 0)


def test_a_customer_cannot_cancel_after_the_close(market: Market, clock: ManualClock) -> None:
    order = market.place({market.small: 3})
    clock.advance(days=1)
    with pytest.raises(Conflict, match="closed"):
        market.hub(order, lambda tx, current: cancel_order(tx, market.hooks, current))


# ------------------------------------------------------------------------------------------------ packing


def test_the_price_follows_the_scales_and_so_does_the_stock(market: Market) -> None:
    order = market.place({market.chicken: 2})
    (line,) = order.lines
    weighed = market.hub(order, lambda tx, current: weigh_order(tx, market.hooks, current, {line.id: Decimal("4.310")}))
    assert weighed.total == 5172  # 24.00 for 2 kg, so 12.00 × 4.31
    assert market.level(line.lot_id) == (15_690, 4_310, 0)
    lighter = market.hub(order, lambda tx, current: weigh_order(tx, market.hooks, current, {line.id: Decimal("3.9")}))
    assert (lighter.total, market.level(line.lot_id)) == (4680, (16_100, 3_900, 0))


@pytest.mark.parametrize("by", ["shortening", "changing"])
def test_fewer_pieces_keep_their_share_of_the_weight(market: Market, by: str) -> None:
    order = market.place({market.chicken: 9})
    (line,) = order.lines
    market.hub(order, lambda tx, current: weigh_order(tx, market.hooks, current, {line.id: Decimal("13.5")}))
    market.place({market.chicken: 3})
    assert market.level(line.lot_id) == (500, 19_500, 0), "too little for what eight chickens usually weigh"

    def take_one_off(tx: Transaction, current: Order) -> Order:
        if by == "shortening":
            return shorten_order(tx, market.hooks, current, {line.id: 1})
        return change_order(tx, market.hooks, current, items={market.chicken: 8}, by_hub=True)

    shortened = market.hub(order, take_one_off)
    assert shortened.lines[0].final_quantity == Decimal(12)
    assert shortened.total == 14_400
    assert market.level(line.lot_id) == (2_000, 18_000, 0)


def test_a_weight_that_cannot_be_is_refused(market: Market) -> None:
    order = market.place({market.chicken: 1, market.small: 1})
    chicken, potatoes = order.lines
    weights = {chicken.id: Decimal("NaN"), potatoes.id: Decimal(1), "nobody's": Decimal(1)}
    with pytest.raises(Invalid) as error:
        market.hub(order, lambda tx, current: weigh_order(tx, market.hooks, current, weights))
    assert [problem.code for problem in error.value.problems] == ["weight", "not_weighed", "no_line"]


def test_a_substitute_costs_no_more_than_what_it_replaces(market: Market) -> None:
    order = market.place({market.eggs: 1})
    replaced = market.hub(
        order,
        lambda tx, current: substitute(
            tx, market.hooks, current, line_id=current.lines[0].id, item_id=market.small, quantity=1
        ),
    )
    replaced_line, substitute_line = replaced.lines
    assert (replaced_line.quantity, substitute_line.substitutes_id, substitute_line.price) == (0, replaced_line.id, 199)
    assert (replaced.total, replaced.deposits_total) == (199, 0)
    assert market.level(replaced_line.lot_id) == (10, 0, 0)


@pytest.mark.parametrize(("pieces", "price"), [(1, 220), (2, 199), (3, 132)])
def test_fewer_or_more_pieces_instead_cost_no_more_than_what_is_missing_either(
    market: Market, pieces: int, price: int
) -> None:
    order = market.place({market.eggs: 2})
    assert order.products_total == 398
    replaced = market.hub(
        order,
        lambda tx, current: substitute(
            tx, market.hooks, current, line_id=current.lines[0].id, item_id=market.small, quantity=pieces
        ),
    )
    assert (replaced.lines[1].price, replaced.products_total) == (price, price * pieces)


def test_ready_once_then_handed_over_and_what_was_reserved_is_sold(market: Market) -> None:
    order = market.place({market.small: 3})
    assert market.hub(order, order_is_ready).fulfilment_state == "Held"
    market.hub(order, order_is_ready)
    fulfilled = market.hub(order, hand_order_over)
    assert (fulfilled.state, fulfilled.fulfilment_state) == ("Complete", "Fulfilled")
    assert market.level(market.heap) == (47_000, 0, 3_000)
    assert market.mails() == ["order_placed", "order_ready"]
    with pytest.raises(Refused, match="handed over already"):
        market.hub(order, hand_order_over)
    with pytest.raises(Refused, match="handed over already"):
        market.hub(
            order, lambda tx, current: change_order(tx, market.hooks, current, items={market.small: 1}, by_hub=True)
        )


def test_goods_that_come_back_after_the_hand_over_can_be_sold_again(market: Market) -> None:
    order = market.place({market.small: 3})
    market.hub(order, hand_order_over)
    market.hub(order, lambda tx, current: cancel_order(tx, market.hooks, current, by_hub=True))
    assert market.level(market.heap) == (50_000, 0, 0)


def test_the_distribution_list_says_who_gets_what_and_what_suppliers_bring(market: Market) -> None:
    market.place({market.small: 3, market.eggs: 1})
    market.place({market.small: 2})
    cancelled = market.place({market.small: 7})
    market.hub(cancelled, lambda tx, current: cancel_order(tx, market.hooks, current, by_hub=True))
    with market.store.read() as tx:
        quantities = [
            (parcel.order_number, parcel.product, parcel.quantity) for parcel in parcels(tx, "shop", "shop-session")
        ]
        totals = {total.product: (total.quantity, total.orders) for total in product_totals(tx, "shop", "shop-session")}
    assert quantities == [(1, "Pommes de terre 1 kg", 3), (1, "Œufs par 6", 1), (2, "Pommes de terre 1 kg", 2)]
    assert totals == {"Pommes de terre 1 kg": (5, 2), "Œufs par 6": (1, 1)}


def test_lists_of_orders_are_paged_by_key(market: Market) -> None:
    order_ids = [market.place({market.eggs: 1}).id for _ in range(5)]
    with market.store.read() as tx:
        first = orders_of_session(tx, "shop", "shop-session", limit=3)
        second = orders_of_session(tx, "shop", "shop-session", after=first[-1].id, limit=3)
    assert [order.id for order in (*first, *second)] == order_ids
