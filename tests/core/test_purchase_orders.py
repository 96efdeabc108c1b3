"""At each cut-off a supplier gets one numbered order: mailed, answered, and revised when customers' orders change."""

from __future__ import annotations

import email
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid
from commensal.enterprises.guest_policy import change_guest_policy
from commensal.enterprises.tables import enterprise
from commensal.orders.cancel import cancel_order
from commensal.orders.change import change_order
from commensal.orders.emails import mailed_secret
from commensal.orders.fulfil import hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.proof import prove_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order
from commensal.parts.checks import broken_invariants
from commensal.parts.distribution.distribution import CustomersLine
from commensal.parts.endpoints import purchase_orders as routes
from commensal.parts.mail.log import mails_of_purchase_order
from commensal.parts.serving.work import work_of
from commensal.parts.supply.answers import LineAnswer, answer_purchase_order, cuts_of_answer
from commensal.parts.supply.passed_cut_offs import parts_of
from commensal.parts.supply.policy import change_closing_policy
from commensal.parts.supply.purchase_orders import (
    PurchaseOrder,
    mail_order,
    purchase_order_by_id,
    purchase_orders_of,
    supplier_orders_of,
    tell_supplier,
)
from commensal.parts.supply.reopening import reopen_purchase_order, reopen_sale
from commensal.parts.supply.shortage_shares import shares
from commensal.people.codes import fingerprint
from commensal.sale_sessions.coordinations import change_coordination, remove_supplier
from commensal.sale_sessions.questions import coordination_by_id
from commensal.sale_sessions.sessions import remove_session
from commensal.storage.jobs.periodic import run_periodic
from commensal.storage.jobs.run import run_due

from .supplying import Supplying

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def pass_time(supplying: Supplying, clock: ManualClock, **duration: int) -> None:
    """Moves the clock, and does all work that is due then."""
    clock.advance(**duration)
    work = work_of(supplying.instance)
    run_periodic(supplying.instance, work)
    while run_due(supplying.instance, work):
        pass


def orders(supplying: Supplying, supplier: str = "farm") -> list[PurchaseOrder]:
    with supplying.instance.store.read() as tx:
        return supplier_orders_of(tx, supplier)


def lines(order: PurchaseOrder) -> list[tuple[str, int, int | None]]:
    return [(line.name, line.quantity, line.confirmed) for line in order.lines]


def pieces(supplying: Supplying, order: Order) -> list[int]:
    with supplying.instance.store.read() as tx:
        return [line.quantity for line in order_by_id(tx, order.id, enterprise_id="hub").lines]


def letters(supplying: Supplying, to: str, *, about: str = "ommande") -> list[Any]:
    """Returns the e-mails to this address whose subject has these letters, the oldest first."""
    files = sorted((supplying.instance.folder / "mail").glob("*.eml"))
    messages = [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]
    return [message for message in messages if to in message["To"] and about in message["Subject"]]


def answer(supplying: Supplying, confirmed: Mapping[str, int], **options: Any) -> PurchaseOrder:
    """Answers the farm's latest order, by names of products."""
    (order, *_) = orders(supplying)
    by_line = {
        line.id: LineAnswer(confirmed=confirmed[line.name], reason="hail")
        for line in order.lines
        if line.name in confirmed
    }
    with supplying.instance.store.write() as tx:
        return answer_purchase_order(tx, supplying.instance.hooks, order.id, by_line, **options)


def change(supplying: Supplying, order: Order, apples: int) -> None:
    with supplying.instance.store.write() as tx:
        locked = locked_order(tx, order.id, enterprise_id="hub")
        items = {supplying.items["hub apples"]: apples, supplying.items["hub cheese"]: 1}
        change_order(tx, supplying.instance.hooks, locked, items=items, by_hub=True)


# ------------------------------------------------------------------------------------------------ telling


def test_a_guest_who_does_not_confirm_is_not_ordered_for(supplying: Supplying, clock: ManualClock) -> None:
    """Two guests order shortly before the sale is closed early: one follows the link, the other one does not."""
    with supplying.instance.store.write() as tx:
        change_guest_policy(tx, "hub", guests="link", confirm_minutes=600, orders_of_mailbox=9, orders_of_network=9)
    confirmed, doubtful = (supplying.order("hub", {"apples": 2}, name, secret=name * 12) for name in ("Ada", "Eve"))
    with supplying.instance.store.write() as tx:
        sale = coordination_by_id(tx, "hub-sale", "hub")
        change_coordination(tx, sale.id, "hub", sale.version, closes_at=tx.now + MINUTE)
    pass_time(supplying, clock, minutes=1)
    assert orders(supplying) == [], "guests still have a few minutes, and nobody harvests for them before"
    assert not letters(supplying, "ada@", about="final"), "an order that is not confirmed is not final"
    with supplying.instance.store.write() as tx:
        prove_order(tx, fingerprint(str(mailed_secret(tx, confirmed.id))))
    pass_time(supplying, clock, minutes=10)
    pass_time(supplying, clock, minutes=1)
    (order,) = orders(supplying)
    assert (lines(order), order.revision) == ([("Apples", 2, None)], 1)
    with supplying.instance.store.read() as tx:
        assert order_by_id(tx, doubtful.id, enterprise_id="hub").state == "Cancelled"


def test_each_supplier_gets_one_numbered_order_at_its_own_cut_off(supplying: Supplying, clock: ManualClock) -> None:
    supplying.cut_off("hub", "farm", clock.now() + HOUR)
    supplying.buy("hub", "apples", price=200)
    supplying.order("hub", {"apples": 2, "cheese": 1})
    supplying.order("hub", {"apples": 3}, "Bea")
    pass_time(supplying, clock, hours=1)
    (order,) = orders(supplying)
    assert (order.number, order.revision, order.state, order.shop, order.total) == (1, 1, "placed", "The hub", 1000)
    assert lines(order) == [("Apples", 5, None)]
    assert orders(supplying, "dairy") == [], "its cut-off is the close of the sale"
    pass_time(supplying, clock, hours=23)
    (cheese,) = orders(supplying, "dairy")
    assert (cheese.number, lines(cheese)) == (2, [("Cheese", 1, None)])
    pass_time(supplying, clock, minutes=5)
    assert len(orders(supplying)) == 1


def test_the_order_is_mailed_with_its_lines_as_text_csv_and_pdf(supplying: Supplying, clock: ManualClock) -> None:
    supplying.order("hub", {"apples": 2, "cheese": 1}, "Canary")
    pass_time(supplying, clock, days=1)
    (letter,) = letters(supplying, "farm@example.org")
    assert letter["Subject"] == "Commande 2 : The hub, sam. 6 juin, 17:00"
    assert letter["Reply-To"].addresses[0].addr_spec == "hub@example.org"
    text = letter.get_body(("plain",)).get_content()
    assert "- 2 × Apples (1\u00a0pièce)\u00a0: 5,00" in text
    assert "5,00" in text
    csv, pdf = letter.iter_attachments()
    assert (csv.get_content_type(), csv.get_filename()) == ("text/csv", "hub-2-1.csv")
    assert "Apples" in csv.get_content()
    assert (pdf.get_content_type(), pdf.get_content()[:5]) == ("application/pdf", b"%PDF-")
    for secret in ("anary", "Cheese", "dairy", "example.org/"):
        assert secret not in text + csv.get_content() + letter["Subject"]
    assert orders(supplying)[0].mail_state == "sent"


def test_nobody_is_told_to_bring_what_was_handed_out_while_no_worker_ran(
    supplying: Supplying, clock: ManualClock
) -> None:
    supplying.cut_off("hub", "farm", clock.now() + HOUR)
    supplying.order("hub", {"apples": 2, "cheese": 1})
    pass_time(supplying, clock, days=4)
    assert (orders(supplying), orders(supplying, "dairy")) == ([], [])


def test_a_supplier_without_goods_on_order_and_the_shop_itself_get_no_order(
    supplying: Supplying, clock: ManualClock
) -> None:
    supplying.order("hub", {"cheese": 1})
    pass_time(supplying, clock, days=1)
    assert orders(supplying) == []
    with supplying.instance.store.read() as tx:
        assert [(part.supplier_id, part.state) for part in parts_of(tx, "hub", "hub-session")] == [("dairy", "told")]


def test_a_supplier_that_left_the_sale_gets_its_order_at_the_close(supplying: Supplying, clock: ManualClock) -> None:
    supplying.order("hub", {"apples": 3})
    with supplying.instance.store.write() as tx:
        remove_supplier(tx, "hub-sale", "hub", coordination_by_id(tx, "hub-sale", "hub").version, "farm")
    pass_time(supplying, clock, days=1)
    assert [lines(order) for order in orders(supplying)] == [[("Apples", 3, None)]]


def test_a_session_without_orders_can_be_removed_after_a_cut_off(supplying: Supplying, clock: ManualClock) -> None:
    supplying.cut_off("hub", "farm", clock.now() + HOUR)
    pass_time(supplying, clock, hours=1)
    with supplying.instance.store.write() as tx:
        remove_session(tx, "hub-session", "hub", 1)


def test_a_hub_that_tells_by_hand_looks_at_it_first(supplying: Supplying, clock: ManualClock) -> None:
    with supplying.instance.store.write() as tx:
        change_closing_policy(tx, "hub", telling="by hand")
    supplying.order("hub", {"apples": 3})
    pass_time(supplying, clock, days=1)
    with supplying.instance.store.read() as tx:
        assert [part.state for part in parts_of(tx, "hub", "hub-session")] == ["closed"]
    assert orders(supplying) == []
    with supplying.instance.store.write() as tx:
        sent = tell_supplier(tx, supplying.instance.hooks, "hub-session", "farm")
        assert sent is not None
        assert tell_supplier(tx, supplying.instance.hooks, "hub-session", "farm") is None, "once"
    assert [order.id for order in orders(supplying)] == [sent.id]


def test_a_supplier_without_an_address_is_shown_to_the_hub(supplying: Supplying, clock: ManualClock) -> None:
    with supplying.instance.store.write() as tx:
        tx.execute(update(enterprise).where(enterprise.c.id == "farm").values(email=""))
    supplying.order("hub", {"apples": 3})
    pass_time(supplying, clock, days=1)
    assert [order.mail_state for order in orders(supplying)] == ["no address"]


def test_a_hub_fills_no_mailbox_with_orders_to_a_supplier_and_other_hubs_reach_it(
    supplying: Supplying, clock: ManualClock
) -> None:
    """Nobody has proved the address of an enterprise; what is mailed too often leaves an hour later, once."""
    for hub in ("hub", "north"):
        supplying.order(hub, {"apples": 2})
    pass_time(supplying, clock, days=1)
    (of_hub,) = [order for order in orders(supplying) if order.shop == "The hub"]
    for _ in range(8):
        with supplying.instance.store.write() as tx:
            mail_order(tx, of_hub.id)
        pass_time(supplying, clock, seconds=1)
    assert [len(letters(supplying, "farm@example.org", about=hub)) for hub in ("hub", "north")] == [6, 1]
    with supplying.instance.store.read() as tx:
        assert purchase_order_by_id(tx, of_hub.id, enterprise_id="hub").mail_state == "waiting"
        assert [mail.state for mail in mails_of_purchase_order(tx, "hub", of_hub.id)] == [*6 * ["sent"], "waiting"]
    pass_time(supplying, clock, hours=1)
    assert len(letters(supplying, "farm@example.org", about="hub")) == 7


# ------------------------------------------------------------------------------------------------ revising


def test_later_changes_of_customers_orders_revise_it_and_tell_the_supplier_again(
    supplying: Supplying, clock: ManualClock
) -> None:
    order = supplying.order("hub", {"apples": 5, "cheese": 1})
    pass_time(supplying, clock, days=1)
    change(supplying, order, 7)
    pass_time(supplying, clock, minutes=5)
    (revised,) = orders(supplying)
    assert (revised.revision, lines(revised)) == (2, [("Apples", 7, None)])
    assert [letter["Subject"][:22] for letter in letters(supplying, "farm@")] == [
        "Commande 2 : The hub, ",
        "La commande 2 a changé",
    ]
    pass_time(supplying, clock, minutes=5)
    assert orders(supplying)[0].revision == 2
    assert [order.revision for order in orders(supplying, "dairy")] == [1]


def test_goods_that_the_shop_lost_are_brought_and_paid_all_the_same(supplying: Supplying, clock: ManualClock) -> None:
    first, second = (supplying.order("hub", {"apples": pieces}, name) for pieces, name in ((3, "Ada"), (2, "Bea")))
    pass_time(supplying, clock, days=1)
    for order, restock in ((second, False), (first, True)):
        with supplying.instance.store.write() as tx:
            locked = locked_order(tx, order.id, enterprise_id="hub")
            cancel_order(tx, supplying.instance.hooks, locked, restock=restock, by_hub=True)
        pass_time(supplying, clock, minutes=11)
        (order_to_farm,) = orders(supplying)
        expected = (1, [("Apples", 5, None)]) if order is second else (2, [("Apples", 2, None)])
        assert (order_to_farm.revision, lines(order_to_farm)) == expected


def test_more_than_was_confirmed_needs_another_answer_and_less_does_not(
    supplying: Supplying, clock: ManualClock
) -> None:
    order = supplying.order("hub", {"apples": 5, "cheese": 1})
    pass_time(supplying, clock, days=1)
    assert answer(supplying, {}).state == "confirmed"
    change(supplying, order, 4)
    pass_time(supplying, clock, minutes=5)
    (fewer,) = orders(supplying)
    assert (fewer.state, lines(fewer)) == ("confirmed", [("Apples", 4, 4)])
    change(supplying, order, 6)
    pass_time(supplying, clock, minutes=5)
    (more,) = orders(supplying)
    assert (more.state, more.revision, lines(more)) == ("placed", 3, [("Apples", 6, None)])


# ------------------------------------------------------------------------------------------------ answering


def two_orders(supplying: Supplying, clock: ManualClock) -> tuple[Order, Order]:
    first = supplying.order("hub", {"apples": 6, "cheese": 1})
    clock.advance(seconds=1)
    return first, supplying.order("hub", {"apples": 3}, "Bea")


@pytest.mark.parametrize(
    ("shortage", "left"), [("newest first", ([6, 1], [1])), ("pro rata", ([5, 1], [2])), ("by hand", ([6, 1], [3]))]
)
def test_what_will_not_come_is_taken_off_orders_as_the_hub_has_chosen(
    supplying: Supplying, clock: ManualClock, shortage: Any, left: tuple[list[int], list[int]]
) -> None:
    first, last = two_orders(supplying, clock)
    with supplying.instance.store.write() as tx:
        change_closing_policy(tx, "hub", shortage=shortage)
    pass_time(supplying, clock, days=1)
    shortened = answer(supplying, {"Apples": 7})
    assert (shortened.state, lines(shortened), shortened.lines[0].reason) == ("shortened", [("Apples", 9, 7)], "hail")
    assert (pieces(supplying, first), pieces(supplying, last)) == left
    pass_time(supplying, clock, minutes=5)
    assert [(order.revision, lines(order)) for order in orders(supplying)] == [(1, [("Apples", 9, 7)])], "no news"
    with supplying.instance.store.read() as tx:
        assert broken_invariants(tx) == []


def test_the_hub_sees_before_whose_order_shrinks(supplying: Supplying, clock: ManualClock) -> None:
    first, last = two_orders(supplying, clock)
    pass_time(supplying, clock, days=1)
    (order,) = orders(supplying)
    seven = {order.lines[0].id: LineAnswer(confirmed=7)}
    with supplying.instance.store.read() as tx:
        newest = cuts_of_answer(tx, order, seven)
        pro_rata = cuts_of_answer(tx, order, seven, shortage="pro rata")
    assert [(cut.number, cut.customer, cut.before, cut.after) for cut in newest] == [(2, "Bea", 3, 1)]
    assert [(cut.customer, cut.before, cut.after) for cut in pro_rata] == [("Bea", 3, 2), ("Ada", 6, 5)]
    assert (pieces(supplying, first), pieces(supplying, last)) == ([6, 1], [3]), "nothing was done"


@pytest.mark.parametrize(("lost", "on_hand"), [(True, 91), (False, 93)])
def test_pieces_that_are_lost_do_not_go_back_on_sale(
    supplying: Supplying, clock: ManualClock, lost: bool, on_hand: int
) -> None:
    two_orders(supplying, clock)
    pass_time(supplying, clock, days=1)
    answer(supplying, {"Apples": 7}, lost=lost)
    assert supplying.free("apples") == on_hand


def test_what_is_handed_over_is_not_taken_back(supplying: Supplying, clock: ManualClock) -> None:
    first, last = two_orders(supplying, clock)
    pass_time(supplying, clock, days=1)
    with supplying.instance.store.write() as tx:
        hand_order_over(tx, locked_order(tx, last.id, enterprise_id="hub"))
    answer(supplying, {"Apples": 4})
    assert (pieces(supplying, first), pieces(supplying, last)) == ([1, 1], [3])


def test_an_impossible_answer_is_refused_with_every_mistake(supplying: Supplying, clock: ManualClock) -> None:
    two_orders(supplying, clock)
    pass_time(supplying, clock, days=1)
    (order,) = orders(supplying)
    wrong = {order.lines[0].id: LineAnswer(confirmed=10, reason="x" * 201), "nothing": LineAnswer(confirmed=1)}
    with supplying.instance.store.write() as tx, pytest.raises(Invalid) as error:
        answer_purchase_order(tx, supplying.instance.hooks, order.id, wrong)
    assert [problem.where for problem in error.value.problems] == [
        f"/lines/{order.lines[0].id}/confirmed",
        f"/lines/{order.lines[0].id}/reason",
        "/lines/nothing",
    ]


def test_an_order_whose_distribution_is_over_is_history(supplying: Supplying, clock: ManualClock) -> None:
    two_orders(supplying, clock)
    pass_time(supplying, clock, days=1)
    clock.advance(days=3)
    with pytest.raises(Conflict, match="is over"):
        answer(supplying, {"Apples": 1})


def reopen(supplying: Supplying) -> PurchaseOrder:
    with supplying.instance.store.write() as tx:
        return reopen_purchase_order(tx, orders(supplying)[0].id)


def test_an_answer_is_taken_back_and_the_supplier_asked_again(supplying: Supplying, clock: ManualClock) -> None:
    first, last = two_orders(supplying, clock)
    pass_time(supplying, clock, days=1)
    answer(supplying, {"Apples": 7})
    reopened = reopen(supplying)
    assert (reopened.state, reopened.revision, reopened.answered_at) == ("placed", 2, None)
    assert (lines(reopened), reopened.lines[0].reason) == ([("Apples", 7, None)], ""), "as customers order by now"
    change(supplying, first, 7)
    pass_time(supplying, clock, minutes=5)
    assert len(letters(supplying, "farm@")) == 3
    assert answer(supplying, {"Apples": 8}).state == "confirmed"
    assert (pieces(supplying, first), pieces(supplying, last)) == ([7, 1], [1])


def reopen_hub_sale(supplying: Supplying, clock: ManualClock) -> None:
    with supplying.instance.store.write() as tx:
        sale = coordination_by_id(tx, "hub-sale", "hub")
        reopen_sale(tx, supplying.instance.hooks, "hub-sale", "hub", sale.version, clock.now() + HOUR)


@pytest.mark.parametrize("telling", ["at the cut-off", "by hand"])
def test_a_sale_that_opens_again_tells_its_suppliers_only_when_it_closes(
    supplying: Supplying, clock: ManualClock, telling: Any
) -> None:
    with supplying.instance.store.write() as tx:
        change_closing_policy(tx, "hub", telling=telling)
    first = supplying.order("hub", {"apples": 3})
    with pytest.raises(Conflict, match="has not closed"):
        reopen_hub_sale(supplying, clock)
    pass_time(supplying, clock, days=1)
    told_orders = len(orders(supplying))
    assert told_orders == (telling == "at the cut-off")
    reopen_hub_sale(supplying, clock)
    with supplying.instance.store.read() as tx:
        assert order_by_id(tx, first.id, enterprise_id="hub").state == "Held"
        assert len(parts_of(tx, "hub", "hub-session")) == told_orders, "a part that nobody was told of closes anew"
    supplying.order("hub", {"apples": 2, "cheese": 1}, "Bea")
    pass_time(supplying, clock, minutes=30)
    assert [lines(order) for order in orders(supplying)] == [[("Apples", 3, None)]] * told_orders, (
        "it waits for the closing"
    )
    pass_time(supplying, clock, minutes=40)
    with supplying.instance.store.read() as tx:
        parts = parts_of(tx, "hub", "hub-session")
        assert order_by_id(tx, first.id, enterprise_id="hub").state == "Complete"
    state = "told" if told_orders else "closed"
    assert [(part.supplier_id, part.state) for part in parts] == [("dairy", state), ("farm", state)]
    assert [(lines(order), order.revision) for order in orders(supplying)] == [([("Apples", 5, None)], 2)] * told_orders
    clock.advance(days=2)
    with pytest.raises(Conflict, match="it stays closed"):
        reopen_hub_sale(supplying, clock)


def test_only_an_answered_order_is_opened_again(supplying: Supplying, clock: ManualClock) -> None:
    two_orders(supplying, clock)
    pass_time(supplying, clock, days=1)
    with pytest.raises(Conflict, match="no answer yet"):
        reopen(supplying)
    answer(supplying, {})
    clock.advance(days=3)
    with pytest.raises(Conflict, match="is over"):
        reopen(supplying)


@pytest.mark.parametrize(
    ("policy", "expected"), [("newest first", [2, 3, 0]), ("pro rata", [1, 2, 2]), ("by hand", [0, 0, 0])]
)
def test_pieces_are_shared_out(policy: Any, expected: list[int]) -> None:
    customers = [
        CustomersLine(order_id=name, line_id=name, quantity=quantity)
        for name, quantity in (("c", 2), ("b", 4), ("a", 4))
    ]
    assert shares(customers, 5, policy) == expected


def test_each_hub_has_orders_and_numbers_of_its_own(supplying: Supplying, clock: ManualClock) -> None:
    supplying.order("hub", {"apples": 1})
    supplying.order("north", {"apples": 2})
    pass_time(supplying, clock, days=1)
    assert sorted((order.shop, order.number) for order in orders(supplying)) == [("The hub", 1), ("The north", 1)]
    with supplying.instance.store.read() as tx:
        assert [order.shop for order in purchase_orders_of(tx, "hub")] == ["The hub"]


# ------------------------------------------------------------------------------------------------ paying


def test_suppliers_are_owed_what_was_delivered_at_purchase_prices(
    supplying: Supplying, clock: ManualClock, client: TestClient, somebody: Any
) -> None:
    supplying.buy("hub", "apples", price=211)
    supplying.buy("hub", "cheese", margin=Decimal(20))
    two_orders(supplying, clock)
    supplying.order("north", {"cheese": 50})
    pass_time(supplying, clock, days=1)
    answer(supplying, {"Apples": 7})
    hub, packer = supplying.token(somebody("Hans"), "hub"), supplying.token(somebody("Paul"), "hub", "packer")
    path = "/api/enterprises/hub/sale-sessions/hub-session/suppliers-to-pay"
    owed = client.get(path, headers=hub).json()
    assert [(row["supplier"], row["total"]) for row in owed] == [("The dairy", 200), ("The farm", 7 * 211)]
    assert owed[1]["shares"] == [{"rate": "5.5", "net": 1400, "vat": 77, "gross": 1477}]
    assert client.get(path, headers=packer).status_code == 403


# ------------------------------------------------------------------------------------------------ over the API


def test_hub_and_supplier_see_answer_and_resend_it_over_the_api(
    supplying: Supplying, clock: ManualClock, client: TestClient, somebody: Any
) -> None:
    supplying.order("hub", {"apples": 3}, "Canary")
    pass_time(supplying, clock, days=1)
    hub, farm = supplying.token(somebody("Hans"), "hub"), supplying.token(somebody("Fae"), "farm")
    (order,) = client.get("/api/enterprises/farm/supplier-orders", headers=farm).json()["items"]
    path = f"/api/enterprises/hub/purchase-orders/{order['id']}"
    two = {"lines": {order["lines"][0]["id"]: {"confirmed": 2, "reason": "hail"}}}
    (cut,) = client.post(f"{path}/cuts", json=two, headers=hub).json()
    assert (cut["customer"], cut["before"], cut["after"]) == ("Canary", 3, 2)
    own = f"/api/enterprises/farm/supplier-orders/{order['id']}"
    stale = client.post(f"{own}/answer", json=two, headers={**farm, "If-Match": '"9"'})
    answered = client.post(f"{own}/answer", json=two, headers={**farm, "If-Match": f'"{order["version"]}"'})
    assert (stale.status_code, answered.status_code) == (412, 200), answered.text
    assert answered.json()["state"] == "shortened"
    assert "anary" not in answered.text
    assert client.post(f"{path}/mails", headers=hub).status_code == 204
    pass_time(supplying, clock, minutes=1)
    mails = client.get(f"{path}/mails", headers=hub).json()
    assert [(mail["kind"], mail["to"], mail["state"]) for mail in mails] == 2 * [
        ("purchase_order", "farm@example.org", "sent")
    ]
    assert client.get(f"{own}/file", params={"format": "csv"}, headers=farm).text.count("Apples") == 1


def test_a_supplier_reaches_no_order_of_another_and_no_door_of_the_hub(
    supplying: Supplying, clock: ManualClock, client: TestClient, somebody: Any
) -> None:
    supplying.order("hub", {"apples": 3, "cheese": 1})
    pass_time(supplying, clock, days=1)
    dairy = supplying.token(somebody("Dora"), "dairy")
    (order,) = orders(supplying)
    doors = [
        ("GET", f"/dairy/supplier-orders/{order.id}"),
        ("GET", f"/dairy/supplier-orders/{order.id}/file"),
        ("POST", f"/dairy/supplier-orders/{order.id}/answer"),
        ("GET", f"/dairy/purchase-orders/{order.id}"),
        ("GET", f"/hub/purchase-orders/{order.id}"),
        ("POST", f"/hub/purchase-orders/{order.id}/cuts"),
    ]
    for method, path in doors:
        headers = {**dairy, "If-Match": '"1"'}
        answer_ = client.request(
            method, f"/api/enterprises{path}", json={} if method == "POST" else None, headers=headers
        )
        assert answer_.status_code == 404, (method, path, answer_.text)


def test_a_mail_that_fails_is_shown_and_sent_again(supplying: Supplying, clock: ManualClock) -> None:
    folder = supplying.instance.folder / "mail"
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder of e-mails belongs")
    supplying.order("hub", {"apples": 3})
    pass_time(supplying, clock, days=1)
    assert [order.mail_state for order in orders(supplying)] == ["failed"]
    folder.unlink()
    pass_time(supplying, clock, minutes=30)
    assert [order.mail_state for order in orders(supplying)] == ["sent"]


def test_a_look_up_that_forgets_whose_order_it_is_would_show_it(
    supplying: Supplying, clock: ManualClock, client: TestClient, somebody: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplying.order("hub", {"apples": 3})
    pass_time(supplying, clock, days=1)
    dairy = supplying.token(somebody("Dora"), "dairy")
    (order,) = orders(supplying)
    monkeypatch.setattr(
        routes, "purchase_order_by_id", lambda tx, id, **_: purchase_order_by_id(tx, id, enterprise_id="hub")
    )
    assert "Apples" in client.get(f"/api/enterprises/dairy/supplier-orders/{order.id}", headers=dairy).text
