"""What each kind of e-mail must tell its reader, in its text and in its HTML part."""

from __future__ import annotations

import re
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser
from io import BytesIO

import icalendar
import pytest
from PIL import Image

from commensal.base.clock import ManualClock
from commensal.instance import Instance, InstanceSettings

from .every_mail import CITY, PHONE, PLUGINS, STREET, kinds_with_templates, write_every_mail

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

# What a passage of each e-mail must be. French, as most readers will read it.
FACTS = {
    "when": "samedi 6 juin 2026, 17:00 – 18:00",
    "where": f"{STREET}, 37000 {CITY}",
    "door": "Porte bleue, sonnez deux fois.",
    "amount": "9,60 €",
    "account": "FR76 3000 6000 0112 3456 7890 189",
    "reference": "Référence : RF",
    "call": PHONE,
    "order": "https://val.example/orders/guest/",
    "until": "Vous pouvez la modifier jusqu’au",
    "terms": "https://val.example/legal/versions/",
}
COLLECTING = ("when", "where", "door", "amount", "account", "reference", "call", "order", "terms")
ABOUT_ORDER = ("call", "order")
OF_KIND: dict[str, tuple[str, ...]] = {
    "order_placed": (*COLLECTING, "until"),
    "order_changed": (*COLLECTING, "until"),
    **dict.fromkeys(
        (
            "order_final",
            "order_reminder",
            "order_ready",
            "order_not_collected",
            "order_refunded",
            "order_to_pay",
            "order_moved",
        ),
        COLLECTING,
    ),
    **dict.fromkeys(("order_cancelled", "order_unpaid", "order_unconfirmed"), ABOUT_ORDER),
    "purchase_order": ("where", "call"),
}
LINKS = {
    "confirm_email": "/confirm/c0de",
    "reset_password": "/reset/c0de",
    "already_registered": "/reset/c0de",
    "new_email": "/email/c0de",
    "log_in_failures": "/forgot",
    "member_invitation": "/account",
    "household_invitation": "/account",
    "household_joined": "/account",
    "identity_linked": "/account",
    "role_changed": "/account",
    "rights_changed": "/account",
    "member_removed": "/account",
    "shop_watch": "/tell/s3cret",
    "shop_sale_open": "/sales/s1",
    "stock_low": "/office/e1/products",
    "supplier_answer": "/office/hub/receive/p1",
    "producer_away": "/office/hub/sale/s1",
    "empty_sale": "/office/hub/sale/s1",
    "guest_orders_expired": "/office/hub/rules",
    "second_person": "/office/hub/money/second",
    "webhooks_off": "/office/hub/settings/webhooks",
    "federation_notice": "/office/shop/bring",
}
OF_PLUGINS = ("bank_transfer_arrived", "vouchers_card_bought", "vouchers_gift_card")
SUBJECTS = {
    "order_placed": "sam. 6 juin, 17:00 · commande 1 · 9,60 €",
    "order_changed": "Modifiée : sam. 6 juin, 17:00 · commande 1 · 9,60 €",
    "order_final": "Définitive : sam. 6 juin, 17:00 · commande 1 · 9,60 €",
    "order_reminder": "Demain 17:00 · commande 1 · 9,60 €",
    "order_ready": "Prête : commande 1 · 9,60 €",
    "order_not_collected": "Non retirée : commande 1 · 9,60 €",
    "order_moved": "Déplacée : sam. 6 juin, 17:00 · commande 1 · 9,60 €",
    "order_to_pay": "À payer : 9,60 € · commande 1",
    "order_refunded": "1,00 € remboursés · commande 1",
    "order_cancelled": "Annulée : commande 1 · sam. 6 juin, 17:00",
    "order_unpaid": "Non payée, annulée : commande 1 · sam. 6 juin, 17:00",
    "order_unconfirmed": "Non confirmée, annulée : commande 1 · sam. 6 juin, 17:00",
    "purchase_order": "Commande 1 : Le Panier du Val, sam. 6 juin, 17:00",
}
WITHOUT_CALENDAR = {"order_ready", "order_not_collected", "order_refunded", "order_to_pay", "purchase_order"}
WITH_CALENDAR = set(SUBJECTS) - WITHOUT_CALENDAR
PLAIN = str.maketrans("\u00a0\u202f\n", "   ", "\u2060")


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, base_url="https://val.example", language="fr", plugins={"enabled": PLUGINS})


@pytest.fixture
def mails(instance: Instance, clock: ManualClock) -> dict[str, EmailMessage]:
    return write_every_mail(instance, clock, "fr")


class Html(HTMLParser):
    """The text and the elements of an HTML part; addresses of links count as text, since people follow them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.elements = "", list[tuple[str, dict[str, str]]]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        self.text += f" {attributes.get('href', '')} " if tag in ("a", "br", "p") else ""

    def handle_data(self, data: str) -> None:
        self.text += data


def read_parts(mail: EmailMessage) -> dict[str, str]:
    """The text of both parts with plain spaces."""
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    texts = {"text": plain.get_content(), "html": Html(html.get_content()).text}
    return {name: re.sub(" +", " ", text.replace("\r", "").translate(PLAIN)) for name, text in texts.items()}


def test_every_kind_of_mail_is_written(instance: Instance, mails: dict[str, EmailMessage]) -> None:
    assert set(mails) == kinds_with_templates(instance)


def test_every_mail_tells_the_facts_of_its_kind_in_both_parts(mails: dict[str, EmailMessage]) -> None:
    missing = [
        f"{kind}: {fact} in {part}"
        for kind, facts in OF_KIND.items()
        for part, text in read_parts(mails[kind]).items()
        for fact in facts
        if FACTS[fact] not in text
    ]
    missing += [
        f"{kind}: its link in {part}"
        for kind, path in LINKS.items()
        for part, text in read_parts(mails[kind]).items()
        if f"https://val.example{path}" not in text
    ]
    assert missing == []


def test_subjects_say_what_matters_in_a_few_words(mails: dict[str, EmailMessage]) -> None:
    subjects = {kind: str(mails[kind]["Subject"]).translate(PLAIN) for kind in SUBJECTS}
    assert subjects == SUBJECTS
    assert max(map(len, subjects.values())) <= 60


def test_when_and_where_come_before_the_price_and_the_price_before_the_goods(mails: dict[str, EmailMessage]) -> None:
    for part, text in read_parts(mails["order_final"]).items():
        places = [text.index(FACTS[fact]) for fact in ("when", "where", "account", "order")]
        assert places == sorted(places), part
        assert text.index(FACTS["order"]) < text.index("Poireaux"), part


def test_html_loads_nothing_and_has_one_button(mails: dict[str, EmailMessage]) -> None:
    for kind, mail in mails.items():
        body = mail.get_body(("html",))
        assert body is not None
        page = Html(body.get_content())
        assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object"}, kind
        sources = [attributes["src"] for _, attributes in page.elements if "src" in attributes]
        assert all(source.startswith("cid:") for source in sources), kind
        assert "url(" not in body.get_content(), kind
        buttons = [attributes for tag, attributes in page.elements if attributes.get("class") == "button"]
        assert len(buttons) == (kind in {*OF_KIND, *LINKS, *OF_PLUGINS}), kind


def test_sentences_are_apart_and_marks_of_plain_text_stay_out_of_html(mails: dict[str, EmailMessage]) -> None:
    parts = {f"{kind} in {part}": text for kind, mail in mails.items() for part, text in read_parts(mail).items()}
    assert {at: run for at, text in parts.items() if (run := re.findall(r"\w+[.!?][A-ZÉÀ]\w+", text))} == {}
    assert [at for at, text in parts.items() if "`" in text] == ["plugin_set_aside in text"]


def test_mails_that_ask_for_a_transfer_show_its_code(mails: dict[str, EmailMessage]) -> None:
    for kind in OF_KIND:
        body = mails[kind].get_body(("related", "html"))
        assert body is not None
        images = [part for part in body.walk() if part["Content-ID"] == "<payment-code>"]
        assert len(images) == ("account" in OF_KIND[kind]), kind
        for image in images:
            assert image.get_content_type() == "image/png"
            assert image["Content-Disposition"].content_disposition == "inline"
            assert Image.open(BytesIO(image.get_content())).width >= 100


def test_mails_about_orders_show_the_logo_of_the_hub_as_a_small_png(mails: dict[str, EmailMessage]) -> None:
    for kind in OF_KIND:
        html = mails[kind].get_body(("html",))
        assert html is not None
        assert html.get_content().count('src="cid:logo"') == 1, kind
        (logo,) = [part for part in mails[kind].walk() if part["Content-ID"] == "<logo>"]
        with Image.open(BytesIO(logo.get_content())) as picture:
            assert (picture.format, picture.size) == ("PNG", (96, 72)), kind


def test_mails_put_the_order_into_the_calendar(mails: dict[str, EmailMessage]) -> None:
    for kind in SUBJECTS:
        files = [part for part in mails[kind].iter_attachments() if part.get_content_type() == "text/calendar"]
        assert len(files) == (kind in WITH_CALENDAR), kind
        for file in files:
            (event,) = icalendar.Calendar.from_ical(file.get_content()).walk("VEVENT")
            assert f"{event.decoded('DTSTART'):%Y-%m-%d %H:%M}" == "2026-06-06 15:00", kind
            assert STREET in str(event["LOCATION"])


def test_the_confirmation_brings_the_terms_that_were_accepted(mails: dict[str, EmailMessage]) -> None:
    (terms,) = [part for part in mails["order_placed"].iter_attachments() if part.get_content_type() == "text/html"]
    assert terms.get_filename() == "Conditions de vente.html"
    assert "<p>Apportez vos sacs.</p>" in terms.get_content()
