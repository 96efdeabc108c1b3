"""Accounts by forms alone: signing up, proving an address, logging in and out, a forgotten password, a language."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from commensal.instance import Instance
from commensal.parts.accounts.confirmations import FORGOTTEN, mail_reset
from commensal.people.people import Person
from commensal.people.tables import person, person_session
from commensal.storage.jobs import Work
from commensal.storage.jobs.run import run_due
from commensal.storage.jobs.tables import job

from ..mailed import code_in
from .conftest import PASSWORD, SALE, Browser, Stall

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def mails(instance: Instance) -> list[dict[str, str]]:
    """The stored e-mails to send, newest last."""
    with instance.store.read() as tx:
        return [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail").order_by(job.c.id))]


def test_somebody_signs_up_logs_in_and_proves_their_address(browser: Browser, instance: Instance) -> None:
    browser.go("/login?next=/orders")
    browser.go("/signup?next=/orders")
    browser.send("/signup", name="Zoé", email="Zoe@Example.org", password=PASSWORD, phone="")
    assert "Check your e-mail" in browser.page.text
    (mail,) = mails(instance)
    assert (mail["kind"], mail["to"]) == ("confirm_email", "zoe@example.org")
    with instance.store.write() as tx:
        code = code_in(tx, mail)
    browser.go(f"/confirm/{code}")
    assert browser.at == f"/login?next=/confirm/{code}"
    assert "Log in to confirm that the address is yours." in browser.page.text
    browser.send("/login", email="zoe@example.org", password=PASSWORD)
    assert browser.at == f"/confirm/{code}"
    assert "You are logged in as zoe@example.org." in browser.page.text
    browser.send(f"/confirm/{code}")
    assert "Your address is confirmed" in browser.page.text
    with instance.store.read() as tx:
        assert tx.value(select(person.c.confirmed_at)) is not None
    browser.post(f"/confirm/{code}")
    assert browser.status == 422
    assert "This link is not valid any more." in browser.page.text
    browser.send("/confirm")
    assert mails(instance)[-1]["kind"] == "confirm_email"


def test_signing_up_names_every_mistake_and_keeps_what_was_typed(browser: Browser, instance: Instance) -> None:
    browser.go("/signup")
    browser.send("/signup", name=" ", email="zoe", password="short", phone="1" * 50)
    assert browser.status == 422
    invalid = {attributes["id"] for _, attributes in browser.page.elements if attributes.get("aria-invalid") == "true"}
    assert invalid == {"name", "email", "password", "phone"}
    assert browser.page.form("/signup").fields["email"] == "zoe"
    assert browser.page.form("/signup").fields["password"] == ""  # a password never stands in a page
    assert mails(instance) == []


def test_signing_up_again_looks_the_same_and_tells_only_the_owner(
    browser: Browser, instance: Instance, ada: Person
) -> None:
    browser.go("/signup")
    text_for_known = browser.send("/signup", name="Eve", email=ada.email, password=PASSWORD).text
    browser.go("/signup")
    text_for_unknown = browser.send("/signup", name="Eve", email="eve@example.org", password=PASSWORD).text
    assert text_for_known == text_for_unknown
    assert [mail["kind"] for mail in mails(instance)] == ["already_registered", "confirm_email"]


def test_a_wrong_password_is_refused_without_saying_which_was_wrong(browser: Browser, ada: Person) -> None:
    pages = []
    for email in (ada.email, "nobody@example.org"):
        browser.go("/login")
        browser.send("/login", email=email, password="not the password")
        assert browser.status == 422
        assert browser.page.form("/login").fields["email"] == email
        pages.append(browser.page.text.replace(email, ""))
    assert pages[0] == pages[1]
    assert "The e-mail address or the password is not right." in pages[0]


def test_who_guesses_is_slowed_down(browser: Browser, ada: Person) -> None:
    for _ in range(6):
        browser.go("/login")
        browser.send("/login", email=ada.email, password="a guess")
    assert browser.status == 429
    assert "Too many requests." in browser.page.text


def test_the_menu_follows_who_is_there(browser: Browser, instance: Instance, ada: Person) -> None:
    assert "/login" in browser.go("/").links()
    browser.log_in()
    assert browser.at == "/"
    assert "/login" not in browser.page.links()
    assert "/orders" in browser.page.links()
    browser.send("/logout")
    assert "/orders" not in browser.page.links()
    with instance.store.read() as tx:
        assert tx.value(select(person_session.c.revoked_at)) is not None


def test_nobody_is_sent_to_another_site(browser: Browser, ada: Person) -> None:
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        visitor = browser.another()
        visitor.go("/login")
        visitor.send("/login", email=ada.email, password=PASSWORD, next=target)
        assert visitor.at == "/"
        assert visitor.status == 200


def test_a_forgotten_password_is_set_anew_by_mail(browser: Browser, instance: Instance, ada: Person) -> None:
    browser.go("/forgot")
    text_for_known = browser.send("/forgot", email=ada.email).text
    browser.go("/forgot")
    assert browser.send("/forgot", email="nobody@example.org").text == text_for_known
    work = Work(handlers={FORGOTTEN: mail_reset})
    assert [run_due(instance, work) for _ in range(2)] == [True, True]
    (mail,) = mails(instance)
    assert (mail["kind"], mail["to"]) == ("reset_password", ada.email)
    with instance.store.write() as tx:
        code = code_in(tx, mail)
    browser.go(f"/reset/{code}")
    assert browser.page.form("").fields["username"] == ada.email  # for a password manager
    browser.send("", password="short")
    assert browser.status == 422
    browser.send("", password="quite another password")
    assert "Your new password is set" in browser.page.text
    browser.go("/login")
    browser.send("/login", email=ada.email, password=PASSWORD)
    assert browser.status == 422
    browser.send("/login", email=ada.email, password="quite another password")
    assert browser.at == "/"
    browser.go(f"/reset/{code}")
    assert "This link was used already, or is too old." in browser.page.text, "before a new password is typed"
    assert "/forgot" in browser.page.links()
    assert "New password" not in browser.page.text
    browser.post(f"/reset/{code}", password="a third long password")
    assert "This link is not valid any more." in browser.page.text


def test_a_language_is_chosen_and_kept(browser: Browser, stall: Stall, ada: Person) -> None:
    browser.go(SALE)
    assert "Orders until" in browser.page.text
    browser.send("/language", ("language", "fr"))
    assert browser.at == SALE
    assert "Commandes jusqu’au" in browser.page.text
    browser.go("/login")
    assert "Se connecter" in browser.page.text
    browser.send("/language", ("language", "xx"))
    assert "Se connecter" in browser.page.text
    browser.log_in()
    browser.go(SALE)
    browser.send("/language", ("language", "fr"))
    telephone = browser.another()
    telephone.log_in()
    assert "Commandes jusqu’au" in telephone.go(SALE).text, "chosen while logged in, kept for the next log-in"


def test_a_form_of_another_site_is_refused(browser: Browser, stall: Stall) -> None:
    browser.client.headers["Origin"] = "https://evil.example"
    browser.post("/login", email="a", password="b")
    assert browser.status == 403


def test_what_does_not_exist_is_said_in_the_readers_language(browser: Browser, stall: Stall) -> None:
    browser.reads("fr")
    for url in ("/nowhere", "/sales/none", "/hubs/none", "/a/b/c"):
        browser.go(url)
        assert browser.status == 404
        assert "Il n’y a rien ici." in browser.page.text
        assert "/" in browser.page.links()


def test_a_form_without_end_is_refused_in_words(browser: Browser, stall: Stall) -> None:
    browser.post("/login", email="a" * 1024 * 1024, password="b")
    assert browser.status == 422
    assert "This form is too large." in browser.page.text
