"""A hub's books and the order between two instances are compared, and nobody is paid by a file while they differ."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import insert, update

from commensal.enterprises.tables import enterprise_plugin
from commensal.orders.tables import order_line
from commensal_bank_transfer.acts import Payee, keep_payee
from commensal_federation.grants.questions import mirror_of
from commensal_federation.orders import statement
from commensal_federation.orders.statement import recent_differences
from commensal_federation.testing import Region
from commensal_federation.warnings import warnings

from .reading_mail import add_people, mails_at
from .test_office_pages import opens
from .trading import Hub, Producer, clock_of, close, minutes

BOTH = True  # databases
OURS, THEIRS = "FR7630006000011234567890189", "DE89370400440532013000"
SEPA = "/office/hub/money/suppliers/hub-session/sepa"


@pytest.fixture
def region(new_region: Callable[..., Region]) -> Region:
    return new_region("a", "b", friends=("ab",), plugins=("office", "federation", "bank_transfer"))


@pytest.fixture
def farm(region: Region) -> Producer:
    return Producer(region, "a")


@pytest.fixture
def hub(region: Region, farm: Producer) -> Hub:
    """It has sold two crates, and closed the sale; it knows the account of the farm."""
    hub = Hub(region, "b")
    farm.grant(hub)
    hub.order(hub.sell(farm), 2)
    minutes(region)
    close(region)
    with hub.write() as tx:
        settings = {"holder": "Les Paniers", "iban": OURS}
        tx.execute(
            insert(enterprise_plugin).values(enterprise_id="hub", plugin="bank_transfer", settings=settings, version=1)
        )
        keep_payee(tx, "hub", mirror_of(tx, farm.iri), Payee(holder="La Ferme", iban=THEIRS))
    return hub


def make_books_differ(hub: Hub) -> None:
    """As a mistake of some version would: the books pay more than the order says."""
    with hub.write() as tx:
        tx.execute(update(order_line).values(cost=200_000))


def files(hub: Hub, farm: Producer) -> str:
    """What is answered to whoever asks for a file that pays the farm."""
    with hub.read() as tx:
        farm_id = mirror_of(tx, farm.iri)
    browser = opens(hub, "owner", "ada@example.org")
    browser.go(SEPA)
    day = clock_of(hub.region).now().date().isoformat()
    answer = browser.client.post(f"{SEPA}?then=file", data={f"pay/{farm_id}": "1", "day": day})
    return answer.text


def test_sums_that_are_the_same_hold_nothing(farm: Producer, hub: Hub) -> None:
    with hub.read() as tx:
        assert list(recent_differences(tx)) == []
    assert "<InstdAmt" in files(hub, farm)


def test_where_they_differ_no_file_pays_the_producer_and_the_page_says_why(farm: Producer, hub: Hub) -> None:
    make_books_differ(hub)
    page = files(hub, farm)
    assert "<InstdAmt" not in page
    for text in ("€4000.00", "€40.00", "farm", "Agree with the producer which is right"):
        assert text in page.replace("\u202f", "").replace(",", ""), text


def test_the_money_page_and_a_check_say_both_sums(farm: Producer, hub: Hub) -> None:
    make_books_differ(hub)
    browser = opens(hub)
    text = browser.go("/office/hub/money/suppliers?sale=hub-session").text
    assert "Your books say" in text
    (problem,) = [each for each in warnings(hub.instance) if each.code == "sums_differ"]
    assert (str(problem.values["books"]), str(problem.values["statement"])) == ("4000.00 EUR", "40.00 EUR")


def test_the_people_who_pay_are_told_in_the_night(farm: Producer, hub: Hub) -> None:
    add_people(hub)
    make_books_differ(hub)
    clock_of(hub.region).advance(days=1)
    minutes(hub.region, 5)
    mails = [mail for mail in mails_at(hub) if "two sums for one order" in mail.subject]
    assert {mail.to for mail in mails} == {"manager@hub.example"}, "the owner has it in French"


def test_without_the_comparison_a_file_would_pay_what_no_order_says(
    farm: Producer, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary."""
    make_books_differ(hub)
    monkeypatch.setattr(statement, "_agree", lambda *_: True)
    assert '<InstdAmt Ccy="EUR">4000.00' in files(hub, farm)
