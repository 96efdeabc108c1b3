"""Where money leaves, one person asks and another says yes: accounts, files for the bank, books, and the choice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from sqlalchemy import insert, select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import Forbidden, Refused
from commensal.enterprises.plugins import enabled_plugins
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.enterprises.tokens import make_token
from commensal.parts.approvals.proposing import (
    LASTS,
    TELL,
    approve,
    digest_of,
    propose,
    tell_second_people,
    waiting_acts,
)
from commensal.parts.approvals.tables import proposed_act
from commensal.parts.supply.books import close_books
from commensal.people.actor import Actor
from commensal.people.tables import person
from commensal.sale_sessions.tables import sale_session
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.registry import Work
from commensal_bank_transfer.acts import payees_of
from commensal_bank_transfer.tables import bank_transfer_payee

from .conftest import Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, owner
from .test_office_books import from_a_farm
from .test_sepa import OURS, PAGE, THEIRS, texts
from .test_shop_tell import promised_mails

__all__ = ["PLUGINS", "owner"]  # fixtures

SECOND = f"{OFFICE}/money/second"
OTHER = "FR7630001007941234567890185"


@pytest.fixture
def asker(owner: Browser, stall: Stall) -> Browser:
    """The owner of a shop that has an account at a bank, and owes a farm 5.00."""
    from_a_farm(stall)
    row = {"enterprise_id": "shop", "plugin": "bank_transfer", "settings": {"holder": "Les Paniers", "iban": OURS}}
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(**row, version=1))
    return owner


@pytest.fixture
def other(asker: Browser, stall: Stall) -> Browser:
    """A manager beside the owner: there are two now."""
    browser = asker.another()
    browser.log_in(a_member(stall, "manager", "max@example.org"))
    return browser


def account(stall: Stall) -> str | None:
    with stall.instance.store.read() as tx:
        payee = payees_of(tx, "shop").get("farm")
    return None if payee is None else payee.iban


def ask_for_account(browser: Browser, iban: str = THEIRS) -> None:
    browser.go(PAGE)
    browser.send(PAGE, **{"holder/farm": "GAEC La Ferme", "iban/farm": iban})


def decide(browser: Browser, answer: str = "yes", **fields: str) -> int:
    browser.go(SECOND)
    browser.send(f"{SECOND}?then={answer}", **fields)
    return browser.status


def person_id(stall: Stall, email: str) -> str:
    with stall.instance.store.read() as tx:
        return str(tx.value(select(person.c.id).where(person.c.email == email)))


def actor(stall: Stall, email: str, **values: Any) -> Actor:
    return Actor(person_id=person_id(stall, email), confirmed=True, session_hash="a session", **values)


def test_who_is_alone_changes_an_account_alone(asker: Browser, stall: Stall) -> None:
    ask_for_account(asker)
    assert account(stall) == THEIRS.replace(" ", "")
    assert "there is nobody to ask" in asker.go(SECOND).text


def test_another_account_waits_until_somebody_else_agrees_to_just_that(
    asker: Browser, other: Browser, stall: Stall
) -> None:
    ask_for_account(asker)
    assert account(stall) is None
    page = asker.go(SECOND)
    assert "You have asked for this: somebody else has to say yes." in page.text
    assert f"{SECOND}?then=yes" not in str(page.text)
    assert "1 thing waits for your yes" in other.go(OFFICE).text
    assert "DE89 3704 0044 0532 0130 00" in other.go(SECOND).text
    assert decide(other) == 200
    assert account(stall) == THEIRS.replace(" ", "")
    assert "Olivia has asked, Olivia has said yes" in other.go(SECOND).text, "both have that name"


def told(stall: Stall, clock: ManualClock, **later: int) -> list[tuple[str, int]]:
    """To whom it was mailed so far how many things wait, when that much time has passed."""
    clock.advance(**later)
    tick(stall.instance, Work({TELL: tell_second_people}, ()))
    return [(mail["to"], mail["values"]["count"]) for mail in promised_mails(stall, "second_person")]


def asks_for_many(stall: Stall, count: int) -> None:
    """The owner asks for so many different things."""
    with stall.instance.store.write() as tx:
        for number in range(count):
            propose(tx, "shop", "tests.thing", f"thing {number}", {}, actor=actor(stall, "olivia@example.org"))


def test_who_may_agree_is_mailed_that_something_waits_and_who_asked_is_not(
    asker: Browser, other: Browser, stall: Stall, clock: ManualClock
) -> None:
    ask_for_account(asker)
    assert told(stall, clock) == [("max@example.org", 1)]
    (mail,) = promised_mails(stall, "second_person")
    assert (mail["values"]["path"], mail["values"]["asker"]) == (SECOND.lstrip("/"), "Olivia")


def test_many_things_to_agree_to_are_one_mail_an_hour_which_says_how_many(
    asker: Browser, other: Browser, stall: Stall, clock: ManualClock
) -> None:
    first = [("max@example.org", 1)]
    ask_for_account(asker)
    assert told(stall, clock) == first
    asks_for_many(stall, 20)
    assert told(stall, clock, minutes=59) == first
    assert told(stall, clock, minutes=1) == [*first, ("max@example.org", 21)]
    assert len(told(stall, clock, hours=3)) == 2, "nothing new was asked for"
    asks_for_many(stall, 1)
    assert told(stall, clock)[2:] == [("max@example.org", 21)], "an hour has passed: it is told at once"


def test_what_is_decided_before_the_mail_goes_out_is_not_told(
    asker: Browser, other: Browser, stall: Stall, clock: ManualClock
) -> None:
    ask_for_account(asker)
    assert decide(other) == 200
    assert told(stall, clock) == []


def test_a_no_changes_nothing_and_says_why(asker: Browser, other: Browser, stall: Stall) -> None:
    ask_for_account(asker)
    assert decide(other, "no", reason="This is not on their invoice.") == 200
    assert account(stall) is None
    assert "This is not on their invoice." in asker.go(SECOND).text


def test_who_asked_cannot_agree_by_any_session_or_token(asker: Browser, other: Browser, stall: Stall) -> None:
    ask_for_account(asker)
    form = other.go(SECOND).form(f"{SECOND}?then=yes")
    again = asker.another()
    again.log_in("olivia@example.org")
    again.post(form.action, **form.fields)
    assert again.status == 403
    with stall.instance.store.write() as tx:
        (act,) = waiting_acts(tx, "shop")
        token = make_token(tx, person_id(stall, "max@example.org"), name="t", scopes={"payments:write"})
        by_token = Actor(
            person_id=person_id(stall, "max@example.org"),
            token_id=token.token.id,
            token_scopes=frozenset({"payments:write"}),
        )
        for who in (actor(stall, "olivia@example.org"), by_token):
            with pytest.raises(Forbidden):
                approve(stall.instance, tx, "shop", act.id, act.digest, who)
    assert account(stall) is None


def test_what_was_asked_anew_or_changed_in_between_is_not_what_was_agreed_to(
    asker: Browser, other: Browser, stall: Stall
) -> None:
    ask_for_account(asker)
    form = other.go(SECOND).form(f"{SECOND}?then=yes")
    ask_for_account(asker, OTHER)
    other.post(form.action, **form.fields)
    assert (other.status >= 400, account(stall)) == (True, None)
    new = other.go(SECOND).form(f"{SECOND}?then=yes")
    with stall.instance.store.write() as tx:  # somebody writes another content under the eyes of the second person
        act = waiting_acts(tx, "shop")[0]
        content = {**act.content, "after": {"holder": "Mallory", "iban": OURS}}
        tx.execute(update(proposed_act).where(proposed_act.c.id == act.id).values(content=content))
    other.post(new.action, **new.fields)
    assert (other.status >= 400, account(stall)) == (True, None)


def test_an_account_that_was_changed_meanwhile_is_not_overwritten(asker: Browser, other: Browser, stall: Stall) -> None:
    ask_for_account(asker)
    with stall.instance.store.write() as tx:
        row = {"enterprise_id": "shop", "supplier_id": "farm", "holder": "La Ferme", "iban": OTHER}
        tx.execute(insert(bank_transfer_payee).values(**row, changed_at=tx.now))
    assert decide(other) >= 400
    assert account(stall) == OTHER
    with stall.instance.store.read() as tx:
        assert [act.state for act in waiting_acts(tx, "shop")] == ["waiting"], "a failed yes decides nothing"


@pytest.mark.parametrize("email", ["olivia@example.org", "max@example.org"])
def test_who_has_lost_the_role_in_between_counts_no_more(
    asker: Browser, other: Browser, stall: Stall, email: str
) -> None:
    """Whoever of the two it is."""
    a_member(stall, "manager", "third@example.org")
    ask_for_account(asker)
    form = other.go(SECOND).form(f"{SECOND}?then=yes")
    with stall.instance.store.write() as tx:
        gone = enterprise_member.c.person_id == person_id(stall, email)
        tx.execute(update(enterprise_member).where(gone).values(role="packer"))
    other.post(form.action, **form.fields)
    assert (other.status >= 400, account(stall)) == (True, None)


def test_what_nobody_answers_lapses(asker: Browser, other: Browser, stall: Stall, clock: ManualClock) -> None:
    ask_for_account(asker)
    form = other.go(SECOND).form(f"{SECOND}?then=yes")
    clock.advance(seconds=LASTS.total_seconds() + 1)
    other = other.another()
    other.log_in("max@example.org")
    other.post(form.action, **form.fields)
    assert (other.status >= 400, account(stall)) == (True, None)
    assert "nobody has answered in time" in other.go(SECOND).text


def test_two_who_agree_at_once_do_it_once(asker: Browser, other: Browser, stall: Stall) -> None:
    a_member(stall, "manager", "third@example.org")
    ask_for_account(asker)
    with stall.instance.store.read() as tx:
        (act,) = waiting_acts(tx, "shop")
    people = [actor(stall, email) for email in ("max@example.org", "third@example.org")]

    def agree(who: Actor) -> str:
        try:
            with stall.instance.store.write() as tx:
                approve(stall.instance, tx, "shop", act.id, act.digest, who)
        except Refused as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(agree, people)) == ["Stale", "done"]


def test_two_who_ask_at_once_leave_one_that_waits(asker: Browser, other: Browser, stall: Stall) -> None:
    who = actor(stall, "olivia@example.org")

    def ask(iban: str) -> str:
        content = {"before": None, "after": {"holder": "La Ferme", "iban": iban}}
        try:
            with stall.instance.store.write() as tx:
                propose(tx, "shop", "bank_transfer.payee", "farm", content, actor=who)
        except Refused as error:
            return str(getattr(error, "code", ""))
        return "asked"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(ask, (OURS, OTHER)))
    assert "asked" in answers
    assert set(answers) <= {"asked", "asked_at_once"}
    with stall.instance.store.read() as tx:
        (act,) = waiting_acts(tx, "shop")
    assert act.digest == digest_of(act.kind, act.subject, act.content)


def test_a_file_for_the_bank_is_made_once_two_have_agreed_to_it(asker: Browser, other: Browser, stall: Stall) -> None:
    ask_for_account(asker)
    decide(other)
    form = asker.go(PAGE).form(f"{PAGE}?then=file")
    asker.post(form.action, **form.fields)
    assert "This waits for a second person now." in asker.page.text
    assert "€5.00" in other.go(SECOND).text
    assert decide(other) == 200
    page = asker.go(PAGE)
    assert "A file that two of you have agreed to" in page.text
    assert "not a second time, if your bank has it" in page.text
    ticked = page.form(f"{PAGE}?then=file").fields
    assert not [name for name in ticked if name.startswith("pay/")], "nobody is paid twice by a click"
    with stall.instance.store.read() as tx:
        act_id = tx.value(select(proposed_act.c.id).where(proposed_act.c.kind == "bank_transfer.file"))
    answer = asker.client.post(f"{PAGE}?then=file", data={"act": act_id})
    document = Xml.fromstring(answer.content)  # noqa: S314 - our own
    assert (texts(document, "InstdAmt"), texts(document, "IBAN")[-1]) == (["5.00"], THEIRS.replace(" ", ""))
    with stall.instance.store.write() as tx:
        tx.execute(update(proposed_act).where(proposed_act.c.id == act_id).values(state="waiting", decided_by=None))
    assert asker.client.post(f"{PAGE}?then=file", data={"act": act_id}).status_code == 404


def test_a_file_to_which_two_have_agreed_is_not_taken_once_another_sum_is_left(
    asker: Browser, other: Browser, stall: Stall
) -> None:
    ask_for_account(asker)
    decide(other)
    form = asker.go(PAGE).form(f"{PAGE}?then=file")
    asker.post(form.action, **form.fields)
    decide(other)
    with stall.instance.store.read() as tx:
        act_id = tx.value(select(proposed_act.c.id).where(proposed_act.c.kind == "bank_transfer.file"))
    at_farm = f"{OFFICE}/money/suppliers/shop-session/farm"
    asker.go(at_farm)
    asker.send("", amount="2.00", reference="by hand")
    answer = asker.client.post(f"{PAGE}?then=file", data={"act": act_id})
    assert "Another sum is left to pay" in answer.text


def test_our_own_account_changes_by_two_and_everything_else_at_once(
    asker: Browser, other: Browser, stall: Stall
) -> None:
    page = f"{OFFICE}/settings/plugins/bank_transfer"
    asker.go(page)
    asker.send(page, **{"settings/iban": OTHER, "settings/days": "9"})

    def settings() -> tuple[Any, Any]:
        with stall.instance.store.read() as tx:
            stored = enabled_plugins(tx, "shop")["bank_transfer"]
        return stored["iban"], stored["days"]

    assert settings() == (OURS, 9)
    assert decide(other) == 200
    assert settings() == (OTHER, 9)


def test_programs_cannot_change_an_account_or_open_books_where_there_are_two(
    asker: Browser, other: Browser, stall: Stall
) -> None:
    path = "/api/enterprises/shop/plugins/bank_transfer"
    answer = asker.client.put(path, json={"settings": {"holder": "M", "iban": OTHER}}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (409, "second_person")
    answer = asker.client.put(
        path, json={"settings": {"holder": "Les Paniers", "iban": OURS, "days": 8}}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 200
    answer = asker.client.post("/api/enterprises/shop/sale-sessions/shop-session/books/open", json={"reason": "why"})
    assert (answer.status_code, answer.json()["code"]) == (409, "second_person")


def test_books_are_opened_again_by_two(asker: Browser, other: Browser, stall: Stall, clock: ManualClock) -> None:
    clock.advance(days=10)
    with stall.instance.store.write() as tx:
        close_books(tx, "shop", "shop-session", person_id="ada", anyway=True)
    asker, other = asker.another(), other.another()
    for browser, email in ((asker, "olivia@example.org"), (other, "max@example.org")):
        browser.log_in(email)
    books = f"{OFFICE}/money/close?sale=shop-session"
    asker.go(books)
    asker.send(f"{books}&then=open", reason="A crate was forgotten.")

    def closed() -> bool:
        with stall.instance.store.read() as tx:
            return (
                tx.value(select(sale_session.c.books_closed_at).where(sale_session.c.id == "shop-session")) is not None
            )

    assert closed()
    assert "A crate was forgotten." in other.go(SECOND).text
    assert decide(other) == 200
    assert not closed()


def test_one_alone_cannot_do_away_with_the_second_person(asker: Browser, other: Browser, stall: Stall) -> None:
    asker.go(SECOND)
    asker.send(f"{SECOND}?then=choose")
    ask_for_account(asker)
    assert account(stall) is None
    other.go(SECOND)
    with stall.instance.store.read() as tx:
        act = next(act for act in waiting_acts(tx, "shop") if act.kind == "office.second_person")
    other.post(f"{SECOND}?then=yes", act=act.id, digest=act.digest)
    ask_for_account(asker, OTHER)
    assert account(stall) == OTHER
    asker.go(SECOND)
    asker.send(f"{SECOND}?then=choose")
    ask_for_account(asker)
    assert account(stall) == OTHER, "who wants one again has one at once"


def test_a_trail_tells_who_asked_and_who_agreed(asker: Browser, other: Browser, stall: Stall) -> None:
    ask_for_account(asker)
    decide(other)
    assert "Second person" in asker.go(f"{OFFICE}/settings/history").text
