"""Notices about orders by channels of plugins: with consent, to people with an account, limited, and once."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from commensal import ConsentRequest, Notice, Order, hookimpl
from commensal.api.authenticate import session_cookie
from commensal.base.clock import ManualClock
from commensal.orders.consents import set_consents
from commensal.orders.fulfil import order_is_ready
from commensal.orders.lock import locked_order
from commensal.parts.serving.app import make_app
from commensal.people.people import Person
from commensal.people.sessions import begin_session
from commensal.testing import RunJobs, Shop
from commensal.testing.instances import Instances, Plan, client_of
from commensal.testing.shop import open_shop

NOTICES = "pager:notices"
PHONE = "06 12 34 56 78"
sent: list[Notice] = []
called: list[str] = []  # the telephone of each notice
broken: list[Exception] = []


@hookimpl
def consent_requests() -> Sequence[ConsentRequest]:
    return [ConsentRequest(id="notices", text="Page me."), ConsentRequest(id="news", text="Write to me.")]


@hookimpl
def send_notice(order: Order, notice: Notice) -> None:
    sent.append(notice)
    called.append(order.phone)
    if broken:
        raise broken.pop()


@pytest.fixture
def shop(commensal_instances: Instances, tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    """A shop that uses this module as the plugin `pager`."""
    sent.clear()
    called.clear()
    plan = Plan(plugins=("pager", "shop"), modules={"pager": sys.modules[__name__]})
    with ExitStack() as stack:
        instance = stack.enter_context(commensal_instances.open(tmp_path / "instance", plan, clock=clock))
        client = stack.enter_context(client_of(make_app(instance)))
        yield open_shop(instance, client, RunJobs(instance, clock), plan)


def kinds() -> list[str]:
    return [notice.kind for notice in sent]


def ready(shop: Shop, order: Order) -> None:
    with shop.instance.store.write() as tx:
        order_is_ready(tx, locked_order(tx, order.id, enterprise_id=shop.id))


def test_who_has_an_account_and_agrees_gets_a_line_with_a_link_and_no_secret(shop: Shop) -> None:
    order = shop.order(person=shop.somebody(), consents=[NOTICES])
    assert sent == [], "not before the e-mail has left"
    shop.run_jobs()
    ready(shop, order)
    shop.run_jobs()
    placed, is_ready = sorted(sent, key=lambda notice: notice.kind)
    assert (placed.kind, is_ready.kind) == ("order_placed", "order_ready")
    assert is_ready.text.endswith(": Ready: order 1 · €10.00")
    assert is_ready.link == f"{shop.instance.settings.base_url}/orders/{order.id}"


def test_guests_and_who_has_agreed_to_something_else_get_none(shop: Shop) -> None:
    shop.order(consents=[NOTICES])
    ada = shop.somebody()
    shop.order(person=ada)
    shop.order(person=ada, consents=["pager:news"])
    shop.run_jobs()
    assert (len(shop.mails()), sent) == (3, [])


def test_a_consent_that_is_withdrawn_holds_back_what_is_on_its_way(shop: Shop) -> None:
    order = shop.order(person=shop.somebody(), consents=[NOTICES])
    broken.append(RuntimeError("the provider is down"))
    shop.run_jobs(failing=True)
    assert kinds() == ["order_placed"]
    with shop.instance.store.write() as tx:
        set_consents(tx, shop.instance.hooks, locked_order(tx, order.id, enterprise_id=shop.id), [], "en")
    shop.run_jobs(hours=1)
    assert kinds() == ["order_placed"], "it was not tried again"


def test_a_channel_that_fails_is_tried_again_with_the_same_id(shop: Shop) -> None:
    shop.order(person=shop.somebody(), consents=[NOTICES])
    broken.append(RuntimeError("the provider is down"))
    shop.run_jobs(failing=True)
    shop.run_jobs(hours=1)
    first, second = sent
    assert first == second


def test_customers_cause_one_notice_of_a_kind_in_an_hour_and_the_hub_one_for_each_order(shop: Shop) -> None:
    ada = shop.somebody()
    orders = [shop.order(person=ada, consents=[NOTICES]) for _ in range(3)]
    shop.run_jobs()
    assert kinds() == ["order_placed"]
    for order in orders:
        ready(shop, order)
    shop.run_jobs()
    assert kinds().count("order_ready") == 3
    assert len(shop.mails()) == 6, "every e-mail has left"
    shop.run_jobs(hours=1)
    shop.order(person=ada, consents=[NOTICES])
    shop.run_jobs()
    assert kinds().count("order_placed") == 2


def test_without_the_look_at_the_consent_everybody_with_an_account_would_get_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commensal.parts.mail.notices.stands", lambda *_: True)
    shop.order(person=shop.somebody())
    shop.run_jobs()
    assert kinds() == ["order_placed"]


def test_without_the_count_of_an_hour_each_order_would_cause_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = itertools.count()
    monkeypatch.setattr("commensal.parts.mail.notices.fingerprint", lambda _: str(next(keys)))
    ada = shop.somebody()
    for _ in range(3):
        shop.order(person=ada, consents=[NOTICES])
    shop.run_jobs()
    assert kinds() == ["order_placed"] * 3


# ------------------------------------------------------------------------------------------------ telephone numbers


def code() -> str:
    """The code of the newest notice that brings one."""
    text = [notice.text for notice in sent if notice.kind == "phone_code"][-1]
    digits: list[str] = re.findall(r"\b\d{6}\b", text)
    return digits[0]


def types(shop: Shop, order: Order, person: Person, text: str) -> tuple[int, str]:
    """Types a code on the page of the order."""
    with shop.instance.store.write() as tx:
        secret = begin_session(tx, person).secret
    browser = client_of(shop.client.app)
    browser.cookies.set(session_cookie(shop.instance.settings.base_url), secret)
    headers = {"Origin": shop.instance.settings.base_url}
    answer = browser.post(f"/orders/{order.id}/phone", data={"code": text}, headers=headers)
    return answer.status_code, answer.text


def test_a_number_is_told_to_a_channel_once_its_owner_has_typed_the_code(shop: Shop) -> None:
    ada = shop.somebody()
    order = shop.order(person=ada, phone=PHONE, consents=[NOTICES])
    shop.run_jobs()
    assert dict(zip(kinds(), called, strict=True)) == {"order_placed": "", "phone_code": "+33612345678"}
    assert types(shop, order, ada, "12")[0] == 422
    assert types(shop, order, ada, f"{code()[:3]} {code()[3:]}")[0] == 200
    ready(shop, order)
    shop.run_jobs()
    assert (kinds()[-1], called[-1]) == ("order_ready", "+33612345678")
    shop.order(person=shop.somebody("eve@example.org"), phone=PHONE, consents=[NOTICES])
    shop.run_jobs()
    assert (kinds()[-1], called[-1]) == ("order_placed", ""), "it is proven for Ada alone"


@pytest.mark.parametrize("phone", ["0899 12 34 56", "01 23 45 67 89", "+1 900 555 1234", "+44 7911 123456", ""])
def test_numbers_that_cost_money_and_those_abroad_get_no_code(shop: Shop, phone: str) -> None:
    shop.order(person=shop.somebody(), phone=phone, consents=[NOTICES])
    shop.run_jobs()
    assert (kinds(), called) == (["order_placed"], [""])


def test_a_person_and_a_number_get_one_code_a_day(shop: Shop) -> None:
    ada, eve = shop.somebody(), shop.somebody("eve@example.org")
    for person, phone in ((ada, PHONE), (ada, "06 12 34 56 79"), (eve, "+33 612345678")):
        shop.order(person=person, phone=phone, consents=[NOTICES])
    shop.run_jobs()
    assert called.count("+33612345678") == kinds().count("phone_code") == 1
    shop.run_jobs(hours=25)
    assert kinds().count("phone_code") == 2, "of the day on which the sale has closed"


def test_codes_are_not_guessed(shop: Shop) -> None:
    ada = shop.somebody()
    order = shop.order(person=ada, phone=PHONE, consents=[NOTICES])
    shop.run_jobs()
    wrong = str((int(code()) + 1) % 10**6).zfill(6)
    assert [types(shop, order, ada, wrong)[0] for _ in range(6)] == [422] * 5 + [409]
    assert types(shop, order, ada, code())[0] == 409


def test_a_hub_sends_few_codes_a_day(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commensal.parts.accounts.phones._MOST_CODES", 2)
    for number in range(3):
        person = shop.somebody(f"eve-{number}@example.org")
        shop.order(person=person, phone=f"06 12 34 56 7{number}", consents=[NOTICES])
    shop.run_jobs()
    assert kinds().count("phone_code") == 2


def test_without_the_proof_any_number_would_be_called(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commensal.parts.mail.notices.is_proven", lambda *_: True)
    shop.order(person=shop.somebody(), phone=PHONE, consents=[NOTICES])
    shop.run_jobs()
    assert (kinds(), called) == (["order_placed"], ["+33612345678"])
