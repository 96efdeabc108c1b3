"""What plugins add to e-mails about orders, and e-mails of their own to customers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from commensal import ConsentRequest, Order, PageLine, PagePart, hookimpl, mail_customer
from commensal.base.clock import ManualClock
from commensal.orders.consents import set_consents
from commensal.orders.lock import locked_order
from commensal.parts.mail import mails_of_order
from commensal.parts.serving.app import make_app
from commensal.testing import RunJobs, Shop
from commensal.testing.instances import Instances, Plan, client_of
from commensal.testing.shop import open_shop
from commensal_office.orders.history import history_of, mail_names

TRANSFER = {"iban": "FR1420041010050500013M02606", "holder": "Les Paniers", "mail_when_arrived": True}
ARRIVED, LETTERS = "bank_transfer_arrived", "letters:recipes"


@hookimpl
def mail_parts(order: Order, kind: str) -> Sequence[PagePart]:
    here = PageLine(text="Recipes <of the week>", detail=kind, url="/recipes", action="Read")
    nowhere = PageLine(text="Tips", url="javascript:alert(1)")
    return [PagePart(title="From the kitchen", lines=[here, nowhere])]


@hookimpl
def consent_requests() -> Sequence[ConsentRequest]:
    return [ConsentRequest(id="recipes", text="The kitchen may write to me.")]


@pytest.fixture
def shop(commensal_instances: Instances, tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    """A shop that is paid by transfer, and uses this module as the plugin `letters`."""
    plan = Plan(
        plugins=("bank_transfer", "letters"),
        settings={"bank_transfer": TRANSFER},
        modules={"letters": sys.modules[__name__]},
    )
    with ExitStack() as stack:
        instance = stack.enter_context(commensal_instances.open(tmp_path / "instance", plan, clock=clock))
        client = stack.enter_context(client_of(make_app(instance)))
        yield open_shop(instance, client, RunJobs(instance, clock), plan)


def mail_about(shop: Shop, subject: str) -> tuple[str, str]:
    """The text and the HTML of the one e-mail with this subject."""
    mails = [message_from_bytes(source.encode(), policy=default) for source in shop.mails()]
    (mail,) = [mail for mail in mails if subject in mail["Subject"]]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def kinds_sent(shop: Shop, order: Order) -> list[str]:
    """The kinds of e-mails about the order as the office shows them."""
    with shop.instance.store.read() as tx:
        return [mail.kind for mail in mails_of_order(tx, shop.id, order.id) if mail.state == "sent"]


def test_a_customer_learns_that_the_transfer_has_arrived(shop: Shop) -> None:
    order = shop.order(payment_method="bank_transfer:transfer")
    shop.pay("bank_transfer:transfer")
    shop.receive("bank_transfer:transfer")
    shop.run_jobs(minutes=1)
    text, html = mail_about(shop, "Your transfer has arrived · order 1")
    assert "Thank you: €10.00 have arrived for your order 1." in text.replace("\u00a0", " ")
    assert "From the kitchen\n- Recipes <of the week>: bank_transfer_arrived http" in text
    assert "Recipes &lt;of the week&gt;" in html
    assert '/recipes">Read</a>' in html
    assert "Tips" in html
    assert "javascript" not in text + html
    assert kinds_sent(shop, order).count(ARRIVED) == 1
    with shop.instance.store.read() as tx:
        names = mail_names(shop.instance, "en")
        history = history_of(tx, order, names, "en", sees_trail=False, sees_money=True, sees_addresses=True)
    assert f"E-mail “transfer has arrived” sent to {order.email}" in [entry.text for entry in history]
    assert mail_names(shop.instance, "fr")[ARRIVED] == "virement reçu"


def test_an_event_that_is_told_twice_is_mailed_once(shop: Shop) -> None:
    order = shop.order()
    for key in ("first", "first", "second"):
        with shop.instance.store.write() as tx:
            mail_customer(tx, order, ARRIVED, {"amount": 1000}, key=key)
        shop.run_jobs(minutes=1)
    assert kinds_sent(shop, order).count(ARRIVED) == 2


def test_what_needs_a_consent_leaves_while_it_stands(shop: Shop) -> None:
    """Withdrawn between the promise and the e-mail counts too."""
    order = shop.order(consents=[LETTERS])
    for key in ("before", "after"):
        with shop.instance.store.write() as tx:
            mail_customer(tx, order, ARRIVED, {"amount": 1000}, key=key, consent=LETTERS)
            if key == "after":
                set_consents(tx, shop.instance.hooks, locked_order(tx, order.id, enterprise_id=shop.id), [], "en")
        shop.run_jobs(minutes=1)
    assert kinds_sent(shop, order).count(ARRIVED) == 1


def test_a_mailbox_that_nobody_has_proved_gets_no_more_than_the_limit(shop: Shop) -> None:
    """And an e-mail of the core about the order is never the one that is dropped for it."""
    order = shop.order()
    for number in range(shop.instance.settings.limits.mails + 3):
        with shop.instance.store.write() as tx:
            mail_customer(tx, order, ARRIVED, {"amount": 1000}, key=str(number))
    shop.run_jobs(minutes=1)
    assert len(kinds_sent(shop, order)) <= shop.instance.settings.limits.mails
    shop.change({"carrots": 5})
    shop.run_jobs(hours=2)
    assert "order_changed" in kinds_sent(shop, order)
