"""Gift cards that customers buy: created when they are paid, outside VAT, taken back while nothing is spent of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from commensal import Conflict, Invalid, NotFound, Refused, receive_payment
from commensal.base.clock import ManualClock
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.plugins import disable_plugin
from commensal.enterprises.tables import enterprise_plugin
from commensal.instance import Instance
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.parts.order_corrections.merge import merge_orders
from commensal.parts.privacy.export import data_of, subject_by_email
from commensal.parts.privacy.forgetting import forget_person
from commensal.payments.refunds import correct
from commensal.payments.tables import payment_journal
from commensal.testing import RunJobs
from commensal_vouchers.codes import Voucher
from commensal_vouchers.issuing import issue_cards
from commensal_vouchers.questions import movements_of, voucher_by_id
from commensal_vouchers.settings import Settings
from commensal_vouchers.sold_cards import card_sales_of_order, choose_card, forget_unordered
from commensal_vouchers.sold_page import owed_to_holders
from commensal_vouchers.tables import vouchers_sale

from .market import Market, open_market

PLUGINS = ("vouchers",)
SOLD = Settings(gift_cards=True)


@pytest.fixture
def market(instance: Instance) -> Market:
    market = open_market(instance)
    with instance.store.write() as tx:
        tx.execute(update(enterprise_plugin).values(settings={"gift_cards": True}))
    return market


def choose(market: Market, amount: int = 2000, recipient: str = "zoe@example.org", message: str = "") -> str:
    """Returns the code with which an order buys the card."""
    with market.store.write() as tx:
        shop = enterprise_by_id(tx, "shop")
        return choose_card(
            tx, shop, SOLD, amount=amount, giver="Eve", recipient=recipient, message=message, language="en"
        ).code


def pay(market: Market, order: Order, amount: int | None = None) -> None:
    with market.store.write() as tx:
        receive_payment(
            tx,
            enterprise_id="shop",
            order_id=order.id,
            method="cash:cash",
            amount=amount or order.total,
            idempotency_key=f"{order.id}{amount}",
            person_id=None,
        )


def cards(market: Market, order: Order) -> list[Voucher]:
    with market.store.read() as tx:
        sales = card_sales_of_order(tx, "shop", order.id)
        return [voucher_by_id(tx, "shop", sale.card_id) for sale in sales if sale.card_id]


def owed(market: Market) -> int:
    with market.store.read() as tx:
        return owed_to_holders(tx, "shop")


def mails(instance: Instance) -> str:
    return "\n".join(path.read_text().replace("=\n", "") for path in sorted((instance.folder / "mail").glob("*")))


# ------------------------------------------------------------------------------------------------ buying


def test_a_card_comes_with_an_order_once_it_is_paid_and_is_mailed_to_a_friend(
    market: Market, run_jobs: RunJobs
) -> None:
    order = market.order(choose(market), apples=1)
    assert (order.total, order.adjustments_total) == (3000, 2000)
    assert [(share.rate, share.net + share.vat) for share in order.vat] == [(order.lines[0].vat_rate, 1000)]
    run_jobs()
    pay(market, order, 2900)
    run_jobs()
    assert (cards(market, order), owed(market)) == ([], 0)
    pay(market, order, 100)
    run_jobs()
    (card,) = cards(market, order)
    assert (card.kind, card.balance, owed(market)) == ("card", 2000, 2000)
    sent = mails(market.instance)
    assert "To: zoe@example.org" in sent
    assert sent.count(f"\n{card.code}\n") == 1
    assert sent.count("A gift card for you") >= 1
    with market.store.write() as tx:
        assert issue_cards(tx, "shop", order.id, SOLD) == []
    assert market.order(card.code, apples=3, email="zoe@example.org").total == 1000
    market.check()


def test_a_card_that_counts_before_it_is_paid_is_found(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commensal_vouchers.issuing.is_due", lambda order: True)
    order = market.order(choose(market), apples=1)
    with market.store.write() as tx:
        issue_cards(tx, "shop", order.id, SOLD)
    assert (order.payment_state, owed(market)) == ("Unpaid", 2000)


def test_a_card_is_bought_by_itself(market: Market, run_jobs: RunJobs) -> None:
    order = market.order(choose(market, 5000))
    assert (order.lines, order.total, order.fulfilment_state, order.vat) == ((), 5000, "Fulfilled", ())
    pay(market, order)
    run_jobs()
    assert [card.balance for card in cards(market, order)] == [5000]
    with pytest.raises(Invalid) as error:
        market.order(market.voucher().code)
    assert [problem.code for problem in error.value.problems] == ["code_products"]
    market.check()


def test_an_order_that_becomes_cheaper_than_what_was_paid_brings_its_card_too(
    market: Market, run_jobs: RunJobs
) -> None:
    order = market.order(choose(market), apples=2)
    pay(market, order, 3000)
    run_jobs()
    assert cards(market, order) == []
    market.change(order, apples=1)
    run_jobs()
    assert [card.balance for card in cards(market, order)] == [2000]


def test_nothing_that_lowers_a_price_pays_a_card(market: Market) -> None:
    market.voucher("HALF", kind="percent", amount=None, percent=Decimal(50))
    card = market.voucher(kind="card", amount=9000)
    order = market.order("HALF", card.code, choose(market), apples=1)
    assert (order.total, market.again(card).balance) == (2000, 8500)
    order = market.order(card.code, choose(market))
    assert (order.total, market.again(card).balance) == (2000, 8500)


@pytest.mark.parametrize(
    ("amount", "recipient", "message", "where"),
    [
        (99, "", "", "/amount"),
        (20_001, "", "", "/amount"),
        (2000, "nobody", "", "/recipient"),
        (2000, "", "Look at example.org", "/message"),
        (2000, "", "x" * 501, "/message"),
    ],
)
def test_what_a_card_cannot_be_is_refused_at_its_field(
    market: Market, amount: int, recipient: str, message: str, where: str
) -> None:
    with pytest.raises(Invalid) as error:
        choose(market, amount, recipient, message)
    assert [problem.where for problem in error.value.problems] == [where]


# ------------------------------------------------------------------------------------------------ one order


def test_one_choice_is_bought_by_one_order(market: Market) -> None:
    code = choose(market)
    market.order(code, apples=1)
    with pytest.raises(Invalid) as error:
        market.order(code, apples=1)
    assert [(problem.code, problem.where) for problem in error.value.problems] == [("card_sold", "/codes/0")]


def test_two_orders_that_become_one_keep_both_cards(market: Market, run_jobs: RunJobs) -> None:
    target, other = market.order(choose(market), apples=1), market.order(choose(market, 5000), apples=1)
    with market.store.write() as tx:
        orders = [locked_order(tx, order.id, enterprise_id="shop") for order in (target, other)]
        merged = merge_orders(tx, market.instance.hooks, *orders)
    assert merged.total == 9000
    pay(market, merged)
    run_jobs()
    assert sorted(card.balance or 0 for card in cards(market, merged)) == [2000, 5000]


def test_a_code_that_is_taken_out_of_its_order_before_it_is_paid_can_be_used_again(market: Market) -> None:
    code = choose(market)
    order = market.order(code, apples=1)
    assert market.change(order, codes=[]).total == 1000
    assert market.order(code, apples=1).total == 3000


# ------------------------------------------------------------------------------------------------ taking it back


def test_cancelling_takes_an_unspent_card_back_and_no_other(market: Market, run_jobs: RunJobs) -> None:
    order = market.order(choose(market), apples=1)
    pay(market, order)
    run_jobs()
    (card,) = cards(market, order)
    market.cancel(order)
    assert (market.again(card).balance, market.again(card).archived_at is not None, owed(market)) == (0, True, 0)
    with market.store.read() as tx:
        assert [movement.amount for movement in movements_of(tx, "shop", card.id)] == [2000, -2000]
    assert refusal(lambda: market.order(card.code, apples=1)) == ["code_over"]
    market.check()


def test_an_order_whose_card_is_begun_is_not_cancelled(market: Market, run_jobs: RunJobs) -> None:
    order = market.order(choose(market), apples=1)
    pay(market, order)
    run_jobs()
    (card,) = cards(market, order)
    market.order(card.code, soap=1)
    with pytest.raises(Conflict) as error:
        market.cancel(order)
    assert error.value.code == "card_spent"
    with market.store.read() as tx:
        assert order_by_id(tx, order.id, enterprise_id="shop").state == "Held"
    assert (market.again(card).balance, owed(market)) == (1500, 1500)


def take_the_money_back(market: Market, order: Order) -> None:
    """The hub corrects an entry of the journal: the money was another order's."""
    with market.store.write() as tx:
        sequence = tx.value(select(payment_journal.c.sequence).where(payment_journal.c.order_id == order.id))
        correct(tx, "shop", sequence, person_id=market.people["ada"])


def test_a_card_pays_nothing_while_its_order_is_not_paid_any_more(market: Market, run_jobs: RunJobs) -> None:
    order = market.order(choose(market, 3000), apples=1)
    pay(market, order)
    run_jobs()
    (card,) = cards(market, order)
    spent_before = market.order(card.code, apples=1)
    take_the_money_back(market, order)
    assert refusal(lambda: market.order(card.code, apples=1)) == ["card_unpaid"]
    assert market.change(spent_before, apples=2).total == 1000, "what it has paid already stays paid, and no more"
    pay(market, order, order.total + 1)
    assert market.order(card.code, apples=3).total == 1000
    market.check()


def test_goods_that_are_added_later_and_not_paid_do_not_stop_a_card(market: Market, run_jobs: RunJobs) -> None:
    order = market.order(choose(market), apples=1)
    pay(market, order)
    run_jobs()
    (card,) = cards(market, order)
    assert market.change(order, apples=9).payment_state == "Unpaid"
    assert market.order(card.code, apples=2).total == 0


def test_an_order_that_pays_with_the_card_it_bought_is_cancelled_whole(market: Market, run_jobs: RunJobs) -> None:
    order = market.order(choose(market), apples=1)
    pay(market, order)
    run_jobs()
    (card,) = cards(market, order)
    assert market.change(order, codes=[*order.codes, card.code]).total == 2000
    assert (market.again(card).balance, owed(market)) == (1000, 1000)
    market.cancel(order)
    assert (market.again(card).balance, market.again(card).archived_at is not None, owed(market)) == (0, True, 0)
    market.check()


def test_a_cancelled_order_that_is_paid_all_the_same_brings_no_card(market: Market, run_jobs: RunJobs) -> None:
    order = market.order(choose(market), apples=1)
    market.cancel(order)
    pay(market, order)
    run_jobs()
    assert (cards(market, order), owed(market)) == ([], 0)


def test_the_plugin_stays_on_while_people_have_cards_or_have_ordered_some(market: Market, run_jobs: RunJobs) -> None:
    def switch_off() -> None:
        with market.store.write() as tx:
            disable_plugin(tx, market.instance.hooks, "shop", "vouchers")

    order = market.order(choose(market), apples=1)
    with pytest.raises(Refused, match="ordered: 1"):
        switch_off()
    pay(market, order)
    run_jobs()
    with pytest.raises(Refused, match="ordered: 1"):
        switch_off()
    market.cancel(order)
    switch_off()


def test_what_nobody_ordered_is_forgotten_after_a_week(market: Market, clock: ManualClock) -> None:
    choose(market)
    market.order(choose(market), apples=1)
    clock.advance(days=8)
    with market.store.write() as tx:
        assert forget_unordered(tx) == 1
        assert [row["recipient"] for row in tx.all(select(vouchers_sale))] == ["zoe@example.org"]


def test_whoever_was_sent_a_card_reads_what_is_kept_of_it_and_is_forgotten(market: Market, run_jobs: RunJobs) -> None:
    order = market.order(choose(market, message="Bon appétit"), apples=1)
    pay(market, order)
    run_jobs()
    hooks = market.instance.hooks
    with market.store.write() as tx:
        zoe = subject_by_email(tx, hooks, "Zoe@example.org")
        (row,) = data_of(tx, hooks, zoe)["vouchers_gift_card"]
        assert (row["recipient"], row["giver"], row["message"]) == ("zoe@example.org", "Eve", "Bon appétit")
        forget_person(tx, hooks, zoe, years=10)
        (sale,) = card_sales_of_order(tx, "shop", order.id)
        assert (sale.recipient, sale.giver, sale.message) == ("", "", "")
        with pytest.raises(NotFound):
            subject_by_email(tx, hooks, "zoe@example.org")
    assert [card.balance for card in cards(market, order)] == [2000], "the card stays good"


def refusal(act: Callable[[], object]) -> list[str]:
    with pytest.raises(Invalid) as error:
        act()
    return [problem.code for problem in error.value.problems]
