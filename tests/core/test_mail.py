"""E-mails: what they say in both languages, what their headers can never become, and how they leave."""

from __future__ import annotations

import email
import email.header
import email.utils
import os
import re
import signal
import socketserver
import ssl
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from commensal.base.clock import ManualClock
from commensal.base.errors import NotFound
from commensal.base.ids import SeededIds
from commensal.catalogs.tables import catalog_item
from commensal.enterprises.tables import enterprise
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings, Secret
from commensal.instance.settings import MailSettings
from commensal.orders.questions import order_by_secret
from commensal.orders.tables import adjustment, customer_order, order_line, order_vat
from commensal.parts.mail import message
from commensal.parts.mail.message import one_line
from commensal.parts.mail.send import ACCOUNT_KINDS, ORDER_KINDS, send_mail
from commensal.parts.monitoring.environment import mail_problem, warnings
from commensal.parts.monitoring.health import Watcher, unsent_mail
from commensal.parts.serving.work import work_of
from commensal.payments.payments import ask_payer, receive_payment, start
from commensal.people.codes import fingerprint
from commensal.people.tables import person
from commensal.products.tables import supplied_product
from commensal.stock.tables import stock_lot
from commensal.storage.database import Store, insert_rows
from commensal.storage.jobs import Job, enqueue
from commensal.storage.jobs.failed import failed_jobs, retry_all_failed
from commensal.storage.jobs.run import run_due
from commensal.testing.placed import a_placed_order, a_shop

from .certificates import a_certificate


@pytest.fixture
def instance(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    settings = InstanceSettings(
        name="La Coop", base_url="https://coop.example", mail=MailSettings(sender="no-reply@coop.example")
    )
    with store.write() as tx:
        a_shop(tx, "shop", name="Halle du Bourg", phone="01 02 03 04 05")
    return Instance(tmp_path / "instance", settings, store, load_plugins(settings, clock=clock), clock, ids)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    (tmp_path / "instance").mkdir()
    return tmp_path / "instance"


@pytest.fixture
def order(store: Store) -> str:
    """Order 1: three bags of apples, a chicken that was weighed, a delivery fee and a subsidy, for a known person."""
    with store.write() as tx:
        person_values = {
            "email": "ada@example.org",
            "name": "Ada",
            "phone": "",
            "language": "fr",
            "is_operator": False,
            "version": 1,
        }
        tx.execute(insert(person).values(id="ada", created_at=tx.now, **person_values))
        totals: dict[str, Any] = {
            "products_total": 2620,
            "deposits_total": 60,
            "adjustments_total": -150,
            "vat_total": 137,
        }
        order_id = a_placed_order(tx, total=2530, person_id="ada", shipping_label="Quai 3", name="Ada & Bob", **totals)
        common = {"enterprise_id": "shop", "unit": "Kilogram", "version": 1, "created_at": tx.now}
        lot = {"id": "lot", "name": "lot", "per_unit": 1000, "unlimited": True, "free": 0, "reserved": 0, "sold": 0}
        insert_rows(tx, stock_lot, [{**lot, **common}])
        description = {
            "description": "",
            "product_type": "fruit",
            "labels": [],
            "allergens": [],
            "deposit": 0,
            "search": "",
        }
        content = {"lot_id": "lot", "lot_quantity": 1000, "quantity": Decimal(1), "weighed": False}
        insert_rows(tx, supplied_product, [{"id": "product", "name": "Pommes", **description, **content, **common}])
        item_values: dict[str, Any] = {
            "catalog_id": "shop-catalog",
            "product_id": "product",
            "position": 1,
            "hidden": False,
            "version": 1,
        }
        tx.execute(insert(catalog_item).values(id="item", created_at=tx.now, **item_values))
        line: dict[str, Any] = {
            "order_id": order_id,
            "item_id": "item",
            "product_id": "product",
            "supplier_id": "shop",
            "lot_id": "lot",
        }
        line |= {"lot_quantity": 1000, "unit": "Kilogram", "vat_rate": Decimal("5.5"), "deposit": 0}
        apples = {"id": "l1", "position": 1, "name": "Pommes <Reinette>", "unit_quantity": Decimal("0.5"), "price": 250}
        chicken = {"id": "l2", "position": 2, "name": "Poulet", "unit_quantity": Decimal(2), "price": 2000}
        insert_rows(
            tx,
            order_line,
            [
                {**line, **apples, "weighed": False, "quantity": 3, "final_quantity": None, "amount": 750},
                {**line, **chicken, "weighed": True, "quantity": 1, "final_quantity": Decimal("1.87"), "amount": 1870},
            ],
        )
        extra = {"order_id": order_id, "line_id": None, "vat_rate": None, "payee": "shop", "plugin": "fees"}
        fee = {"id": "a1", "position": 1, "phase": "FEE", "kind": "delivery", "label": "Livraison", "amount": 350}
        fund = {"id": "a2", "position": 2, "phase": "SUBSIDY", "kind": "fund", "label": "CCAS", "amount": -500}
        insert_rows(tx, adjustment, [{**fee, **extra, "payer": "customer"}, {**fund, **extra, "payer": "CCAS"}])
        insert_rows(tx, order_vat, [{"order_id": order_id, "rate": Decimal("5.5"), "net": 2483, "vat": 137}])
        return order_id


def mail_job(kind: str, **kwargs: Any) -> Job:
    payload = {"kind": kind, "to": "ada@example.org", "language": "fr", **kwargs}
    return Job("018f-job", "mail", payload, 1)


def account_mail(kind: str, **kwargs: Any) -> Job:
    values = {"shop": "Le Panier", "other": "Bob <bob@example.org>", "place": "Coop"}  # of some mails
    values |= {"role": "packer", "role_name": ""}
    return mail_job(kind, name="Ada", code="s3cret", values=values, **kwargs)


def read_mails(folder: Path) -> list[EmailMessage]:
    files = sorted((folder / "mail").glob("*.eml"))
    return [email.message_from_bytes(file.read_bytes(), policy=modern) for file in files]


def text_and_html(message: EmailMessage) -> tuple[str, str]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    plain = text.get_content().replace("\r\n", "\n").replace("\u00a0", " ").replace("\u202f", " ").replace("\u2060", "")
    return plain, html.get_content()


# ------------------------------------------------------------------------------------------------ what they say


def test_an_order_is_told_as_it_was_placed(instance: Instance, order: str, folder: Path) -> None:
    send_mail(instance, mail_job("order_placed", order_id=order))
    (message,) = read_mails(folder)
    text, _ = text_and_html(message)
    assert message["Subject"] == "sam. 6 juin, 17:00 · commande 1 · 25,30 €"
    for passage in (
        "Bonjour Ada & Bob,",
        "Vous pouvez la modifier jusqu’au vendredi 5 juin 2026, 12:00.",
        "- 3 × Pommes <Reinette> (0,5 kg) : 7,50 €",
        "- Poulet, 1,87 kg : 18,70 €",
        "- Livraison : 3,50 €",
        "- CCAS : -5,00 €",
        "Consignes : 0,60 €",
        "Total : 25,30 €",
        "dont TVA 5,5 % : 1,37 €",
        "samedi 6 juin 2026, 17:00 – 19:00",
        "Quai 3",
        f"https://coop.example/orders/{order}",
        "-- \nHalle du Bourg\nshop@example.org\n01 02 03 04 05",
    ):
        assert passage in text
    assert "\n\n\n" not in text


def test_an_order_with_codes_that_is_brought_says_so(instance: Instance, order: str, folder: Path) -> None:
    voucher = {"phase": "VOUCHER", "kind": "voucher", "label": "Bon JUIN", "payer": "customer", "payee": "shop"}
    rates = [{"vat_rate": Decimal("5.5"), "amount": -200}, {"vat_rate": Decimal(20), "amount": -50}]
    applied: dict[str, Any] = {"order_id": order, "plugin": "vouchers", "code": "JUIN"}
    rows = [{"id": f"v{n}", "position": 10 + n, **applied, **voucher, **rate} for n, rate in enumerate(rates)]
    address = {"street": "2 rue <Colbert>", "postcode": "37000", "city": "Tours", "country": "", "note": "2e étage"}
    with instance.store.write() as tx:
        insert_rows(tx, adjustment, rows)
        tx.execute(update(customer_order).values(codes=["JUIN", "GC-DLP6-V3QU-FWMA-MQEX"], address=address))
    send_mail(instance, mail_job("order_placed", order_id=order))
    text, html = text_and_html(read_mails(folder)[0])
    assert text.count("- Bon JUIN : -2,50 €") == text.count("Bon JUIN") == 1, "the rates of one code are one line"
    assert "FWMA" not in text + html, "whoever reads the whole code could spend the card"
    for passage in ("Codes : JUIN, …MQEX", "Livré à : 2 rue <Colbert>, 37000 Tours", "2e étage"):
        assert passage in text
    assert "2 rue &lt;Colbert&gt;" in html


def test_html_says_the_same_with_everything_escaped(instance: Instance, order: str, folder: Path) -> None:
    send_mail(instance, mail_job("order_placed", order_id=order))
    _, html = text_and_html(read_mails(folder)[0])
    assert '<html lang="fr" dir="ltr">' in html
    assert "Pommes &lt;Reinette&gt;" in html
    assert "<Reinette>" not in html
    assert "Ada &amp; Bob" in html
    assert f'href="https://coop.example/orders/{order}"' in html
    assert "<img" not in html  # no pixel that tells who has read it


def test_an_order_is_told_in_english_too(instance: Instance, order: str, folder: Path) -> None:
    send_mail(instance, mail_job("order_placed", order_id=order, language="en"))
    text, html = text_and_html(read_mails(folder)[0])
    assert "Hello Ada & Bob," in text
    assert "Total: €25.30" in text
    assert "Saturday, 6 June 2026, 17:00 – 19:00" in text
    assert '<html lang="en" dir="ltr">' in html
    assert '<th scope="row" lang="fr">3 × Pommes' in html, "a screen reader says it in French"


@pytest.mark.parametrize("kind", [*ORDER_KINDS, *ACCOUNT_KINDS])
def test_every_kind_is_written_in_both_languages(instance: Instance, order: str, folder: Path, kind: str) -> None:
    for language in ("fr", "en"):
        was = [f"2026-06-05T{hour}:00:00+00:00" for hour in (15, 17)]
        about_order = {"order_id": order, "amount": 100, "was": was} if kind in ORDER_KINDS else {}
        send_mail(instance, account_mail(kind, language=language, **about_order))
        (message,) = read_mails(folder)
        text, html = text_and_html(message)
        named = (
            "" if kind in ("member_invitation", "household_invitation") else " Ada"
        )  # nobody knows yet what they are called
        greeting = f"Bonjour{named}" if language == "fr" else f"Hello{named}"
        assert greeting in text
        assert greeting in html
        assert message["Subject"]
        assert str(message["Subject"]).replace("&", "&amp;") in " ".join(html.split()), "with plain spaces in both"


def test_after_the_close_nobody_is_told_that_they_may_change(
    instance: Instance, order: str, folder: Path, clock: ManualClock
) -> None:
    clock.advance(days=2)
    send_mail(instance, mail_job("order_placed", order_id=order, language="en"))
    assert "You can change it" not in text_and_html(read_mails(folder)[0])[0]


def test_how_to_pay_is_told_while_it_is_to_be_paid(instance: Instance, order: str, folder: Path) -> None:
    with instance.store.write() as tx:
        values = {"enterprise_id": "shop", "order_id": order, "method": "cash:cash", "amount": 2530}
        payment = start(tx, idempotency_key="key", **values)  # type: ignore[arg-type]
        ask_payer(tx, "shop", payment.id, instructions={"text": "Apportez 25,30 €."}, reference="")
    send_mail(instance, mail_job("order_placed", order_id=order))
    assert "Apportez 25,30 €." in text_and_html(read_mails(folder)[0])[0]


def test_who_cancelled_a_paid_order_is_told_of_their_money(instance: Instance, order: str, folder: Path) -> None:
    with instance.store.write() as tx:
        values = {"enterprise_id": "shop", "order_id": order, "method": "cash:cash", "amount": 2530, "person_id": None}
        receive_payment(tx, idempotency_key="key", **values)  # type: ignore[arg-type]
        tx.execute(update(customer_order).values(state="Cancelled"))
    send_mail(instance, mail_job("order_cancelled", order_id=order, language="en"))
    text, _ = text_and_html(read_mails(folder)[0])
    assert "You have paid €25.30 for it." in text
    assert "Pommes" not in text


def test_where_vat_is_added_it_is_a_line_of_its_own(instance: Instance, order: str, folder: Path) -> None:
    with instance.store.write() as tx:
        tx.execute(update(customer_order).values(prices_include_vat=False, total=2667))
    send_mail(instance, mail_job("order_changed", order_id=order, language="en"))
    text, html = text_and_html(read_mails(folder)[0])
    assert "- VAT 5.5%: €1.37\n" in text
    assert "including" not in text + html


def test_links_of_accounts_lead_to_the_pages_that_use_their_codes(instance: Instance, folder: Path) -> None:
    for kind, path in (("confirm_email", "confirm"), ("reset_password", "reset"), ("already_registered", "reset")):
        send_mail(instance, account_mail(kind))
        assert f"\nhttps://coop.example/{path}/s3cret\n" in text_and_html(read_mails(folder)[-1])[0]


def test_a_guest_gets_the_link_that_opens_the_order(instance: Instance, folder: Path) -> None:
    with instance.store.write() as tx:
        order_id = a_placed_order(tx, secret_hash="of the first link")
    send_mail(instance, mail_job("order_placed", order_id=order_id))
    text, _ = text_and_html(read_mails(folder)[0])
    (secret,) = re.findall(r"https://coop\.example/orders/guest/(\S+)", text)
    with instance.store.read() as tx:
        assert order_by_secret(tx, fingerprint(secret)).id == order_id


def test_an_order_mail_costs_the_same_for_any_number_of_lines(instance: Instance, order: str) -> None:
    """Twelve queries: whether the address was typed by a stranger, two for the amount due and how it is paid, the shop,
    its logo and its sale, five for the order and its payments, the names of its goods in the customer's language, and
    the time until which it can be changed."""
    assert count_queries_of_mail(instance, order) == 12
    with instance.store.write() as tx:
        (line, *_) = tx.all(select(order_line).where(order_line.c.order_id == order))
        insert_rows(tx, order_line, [{**line, "id": f"more-{at}", "position": at} for at in range(3, 30)])
    assert count_queries_of_mail(instance, order) == 12


def count_queries_of_mail(instance: Instance, order_id: str) -> int:
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    event.listen(instance.store.engine, "before_cursor_execute", note)
    send_mail(instance, mail_job("order_placed", order_id=order_id))
    event.remove(instance.store.engine, "before_cursor_execute", note)
    return len([statement for statement in statements if statement.lstrip().startswith("SELECT")])


def test_drafts_and_unknown_kinds_are_errors(instance: Instance) -> None:
    with instance.store.write() as tx:
        draft = a_placed_order(tx, state="Draft", number=None, placed_at=None)
    with pytest.raises(NotFound):
        send_mail(instance, mail_job("order_placed", order_id=draft))
    with pytest.raises(ValueError, match="no e-mail of kind"):
        send_mail(instance, account_mail("advertisement"))


def test_the_operator_may_write_a_template_anew(instance: Instance, folder: Path) -> None:
    (folder / "templates" / "mail").mkdir(parents=True)
    (folder / "templates" / "mail" / "confirm_email.txt").write_text(
        "Welcome {{ name }}\n\nOur own words: {{ link }}\n"
    )
    send_mail(instance, account_mail("confirm_email"))
    (message,) = read_mails(folder)
    assert message["Subject"] == "Welcome Ada"
    assert text_and_html(message)[0].startswith("Our own words: https://coop.example/confirm/s3cret")


# ------------------------------------------------------------------------------------------------ headers


def test_headers_say_who_writes_and_whom_to_answer(instance: Instance, order: str, folder: Path) -> None:
    send_mail(instance, mail_job("order_ready", order_id=order))
    (message,) = read_mails(folder)
    assert str(message["From"]) == "Halle du Bourg <no-reply@coop.example>"
    assert str(message["Reply-To"]) == "Halle du Bourg <shop@example.org>"
    assert str(message["To"]) == "Ada & Bob <ada@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == instance.clock.now()
    assert message["Content-Language"] == "fr"


def test_a_message_that_is_sent_again_is_recognised(instance: Instance, folder: Path, clock: ManualClock) -> None:
    send_mail(instance, account_mail("confirm_email"))
    clock.advance(minutes=5)
    send_mail(instance, account_mail("confirm_email"))
    assert [mail["Message-ID"] for mail in read_mails(folder)] == ["<018f-job@coop.example>"] * 2


HEADERS = {
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
}
INJECTIONS = [
    "Ada\r\nBcc: everybody@example.org",
    "Ada\nBcc: everybody@example.org",
    "Ada\rBcc: everybody@example.org\r\n\r\nBody",
    "Ada\u2028Bcc: everybody@example.org",
    "Ada\x85Bcc: everybody@example.org\x00\x0b\x0c",
    "=?utf-8?q?Ada=0D=0ABcc:_everybody@example.org?=",
    "=?utf-8?b?QWRhDQpCY2M6IGV2ZXJ5Ym9keUBleGFtcGxlLm9yZw==?=",
    "=?utf-8?q?Ada?= =?utf-8?q?=0D=0ABcc:_everybody@example.org?=",
    "=\x00?utf-8?q?Ada=0D=0ABcc:_everybody@example.org?=",
    '"Ada" <everybody@example.org>, Bob',
    "é" * 500 + "\r\nBcc: everybody@example.org",
]


@pytest.mark.parametrize("name", INJECTIONS)
def test_what_people_type_never_becomes_a_header(instance: Instance, order: str, folder: Path, name: str) -> None:
    stored = name.replace("\x00", "")  # PostgreSQL takes no NUL, in rows and in jobs
    with instance.store.write() as tx:
        tx.execute(update(customer_order).values(name=stored))
        tx.execute(update(enterprise).values(name=stored))
    send_mail(instance, mail_job("order_placed", order_id=order))
    send_mail(instance, mail_job("confirm_email", name=stored, code="s3cret"))
    for file in (folder / "mail").glob("*.eml"):
        head = email.message_from_bytes(file.read_bytes().partition(b"\r\n\r\n")[0])  # as any server reads it
        assert set(head.keys()) <= HEADERS
        to = email.utils.getaddresses([head["To"]])
        assert [address for _, address in to] == ["ada@example.org"]
        assert not any(
            character in decode_header(value)
            for value in (head["To"], head["From"], head["Subject"])
            for character in "\r\n"
        )


def decode_header(header: str) -> str:
    """The header as a mail program shows it; folded lines are one."""
    unfolded = header.replace("\r\n ", " ").replace("\n ", " ")
    return str(email.header.make_header(email.header.decode_header(unfolded)))


def test_without_the_cleaning_words_that_are_decoded_bring_line_breaks_back(
    instance: Instance, order: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disables the guard. The e-mail library refuses plain line breaks itself; encoded ones it writes as they are, or
    encodes them again (since Python 3.13.5), so that a reader that decodes the name finds them."""
    monkeypatch.setattr(message, "one_line", lambda text: text)
    with pytest.raises(ValueError, match="is not an e-mail address"):
        send_mail(instance, mail_job("confirm_email", name=INJECTIONS[0], code="s3cret"))
    send_mail(instance, mail_job("confirm_email", name=INJECTIONS[5], code="s3cret"))
    (file,) = (folder / "mail").glob("*.eml")
    head = email.message_from_bytes(file.read_bytes())
    assert set(head.keys()) - HEADERS or "\r\nBcc:" in decode_header(head["To"])


@pytest.mark.parametrize("to", ["ada@example.org\r\nBcc: x@example.org", "ada@example.org, x@example.org", "ada", ""])
def test_an_address_that_is_none_is_not_written_to(instance: Instance, folder: Path, to: str) -> None:
    mail = account_mail("confirm_email")
    with pytest.raises(ValueError, match="is not an e-mail address"):
        send_mail(instance, replace(mail, payload={**mail.payload, "to": to}))
    assert read_mails(folder) == []


def test_one_line_is_one_line() -> None:
    assert one_line(" Ada\r\n\tLovelace\x00 ") == "Ada Lovelace"
    assert one_line("x" * 300) == "x" * 200
    assert one_line("Élodie · 5 €") == "Élodie · 5 €"


# ------------------------------------------------------------------------------------------------ how they leave


def test_without_a_server_messages_lie_in_a_folder_that_only_the_operator_reads(
    instance: Instance, folder: Path
) -> None:
    send_mail(instance, account_mail("confirm_email"))
    (file,) = (folder / "mail").iterdir()
    assert file.name == "20260604T100000Z-018f-job.eml"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert b"\r\n" in file.read_bytes()


_KILLED = """
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from commensal.instance.settings import MailSettings
from commensal.parts.mail.deliver import deliver

deliver(EmailMessage(), MailSettings(), Path(sys.argv[1]), job_id="018f-job", at=datetime.now(UTC))
"""


def test_what_a_killed_attempt_has_left_is_removed_by_the_next_even_if_that_fails(
    instance: Instance, folder: Path
) -> None:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "COMMENSAL_FAILPOINT": "mail.unnamed:1"}
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(folder)], env=environment, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert [file.name for file in (folder / "mail").iterdir()] == [".018f-job.eml"]
    mail = account_mail("confirm_email")
    with pytest.raises(ValueError, match="is not an e-mail address"):
        send_mail(instance, replace(mail, payload={**mail.payload, "to": "ada"}))
    assert list((folder / "mail").iterdir()) == []


class Mailbox(socketserver.ThreadingTCPServer):
    """A small SMTP server (RFC 5321, with STARTTLS and AUTH PLAIN) that keeps the messages it receives."""

    allow_reuse_address = daemon_threads = True

    def __init__(
        self,
        context: ssl.SSLContext | None,
        *,
        implicit: bool = False,
        offers: bool = True,
        answers: Mapping[str, str] | None = None,
    ) -> None:
        self.context, self.implicit, self.offers = context, implicit, offers
        self.answers = answers or {}  # answers to SMTP commands, instead of acceptance
        self.received: list[tuple[str, list[str], bytes]] = []
        self.log_ins: list[str] = []
        super().__init__(("127.0.0.1", 0), Conversation)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is not an error of the server."""


class Conversation(socketserver.BaseRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        if self.server.implicit:
            self._encrypt()
        self.file = self.request.makefile("rb")
        try:
            self._talk()
        finally:
            self.file.close()
            self.request.close()

    def _talk(self) -> None:
        self._say("220 mailbox")
        sender, recipients = "", list[str]()
        while line := self.file.readline().decode().strip():
            word, _, rest = line.partition(" ")
            if answer := self.server.answers.get(word.upper()):
                self._say(answer)
            elif word.upper() == "EHLO":
                offers = ["250-STARTTLS"] if self.server.offers and not self.server.implicit else []
                self._say("250-mailbox", *offers, "250 AUTH PLAIN")
            elif word.upper() == "STARTTLS":
                self._say("220 go ahead")
                self.file.close()
                self._encrypt()
                self.file = self.request.makefile("rb")
            elif word.upper() == "AUTH":
                self.server.log_ins.append(rest)
                self._say("235 welcome")
            elif word.upper() == "MAIL":
                sender = rest
                self._say("250 ok")
            elif word.upper() == "RCPT":
                recipients.append(rest)
                self._say("250 ok")
            elif word.upper() == "DATA":
                self._say("354 go ahead")
                lines = iter(self.file.readline, b".\r\n")
                self.server.received.append((sender, recipients, b"".join(lines)))
                self._say("250 taken")
            else:
                self._say("221 bye")
                return

    def _encrypt(self) -> None:
        assert self.server.context is not None
        self.request = self.server.context.wrap_socket(self.request, server_side=True)

    def _say(self, *lines: str) -> None:
        self.request.sendall("".join(f"{line}\r\n" for line in lines).encode())


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    return a_certificate(tmp_path_factory.mktemp("certificate") / "mailbox.pem", days=1)


@contextmanager
def serving(mailbox: Mailbox) -> Iterator[int]:
    thread = threading.Thread(target=mailbox.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield mailbox.server_address[1]
    finally:
        mailbox.shutdown()
        thread.join()
        mailbox.server_close()


def with_mail_server(instance: Instance, port: int, **kwargs: Any) -> Instance:
    mail = replace(instance.settings.mail, host="127.0.0.1", port=port, **kwargs)
    return replace(instance, settings=replace(instance.settings, mail=mail))


def tls_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_server_gets_the_message_and_nothing_is_left_in_the_folder(instance: Instance, folder: Path) -> None:
    mailbox = Mailbox(None, offers=False)
    with serving(mailbox) as port:
        send_mail(with_mail_server(instance, port, security="none"), account_mail("confirm_email"))
    ((sender, recipients, content),) = mailbox.received
    envelope = (
        sender.partition(" ")[0].upper(),
        [recipient.upper() for recipient in recipients],
    )  # in small letters since Python 3.13
    assert envelope == ("FROM:<NO-REPLY@COOP.EXAMPLE>", ["TO:<ADA@EXAMPLE.ORG>"])
    message = email.message_from_bytes(content, policy=modern)
    assert message["Message-ID"] == "<018f-job@coop.example>"
    assert not (folder / "mail").exists()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_messages_are_encrypted_and_the_password_is_shown_to_the_server_alone(
    instance: Instance, certificate: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mailbox = Mailbox(tls_context(certificate), implicit=security == "tls")
    account = {"username": "coop", "password": Secret("from the settings")}
    with serving(mailbox) as port:
        send_mail(with_mail_server(instance, port, security=security, **account), account_mail("confirm_email"))
    assert len(mailbox.received) == 1
    assert [b64decode(log_in.removeprefix("PLAIN ")) for log_in in mailbox.log_ins] == [b"\0coop\0from the settings"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(
    instance: Instance, certificate: Path, security: str
) -> None:
    mailbox = Mailbox(tls_context(certificate), implicit=security == "tls")
    with serving(mailbox) as port, pytest.raises(ssl.SSLCertVerificationError):
        send_mail(with_mail_server(instance, port, security=security), account_mail("confirm_email"))
    assert mailbox.received == []


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
def test_what_a_server_refuses_for_good_is_parked_at_once_and_told_by_its_reason(
    instance: Instance, clock: ManualClock, word: str
) -> None:
    with serving(Mailbox(None, offers=False, answers={word: "550 5.7.1 sender rejected"})) as port:
        sending = with_mail_server(instance, port, security="none")
        with instance.store.write() as tx:
            enqueue(tx, "mail", account_mail("confirm_email").payload)
        assert run_due(sending, work_of(sending))
    with instance.store.read() as tx:
        (failed,) = failed_jobs(tx)
        assert (failed.state, failed.attempts, failed.error) == ("parked", 1, "550 5.7.1 sender rejected")
        (warning,) = map(str, unsent_mail(tx))
    assert warning.startswith("1 e-mails were given up, the oldest of 2026-06-04 10:00 UTC: 550 5.7.1 sender rejected;")
    assert warning in Watcher(sending).health().reasons
    assert warning in map(str, warnings(sending))
    with instance.store.write() as tx:
        assert retry_all_failed(tx, "mail") == 1
    with serving(Mailbox(None, offers=False)) as port:
        assert run_due(sending := with_mail_server(instance, port, security="none"), work_of(sending))
    with instance.store.read() as tx:
        assert failed_jobs(tx) == []
        assert list(unsent_mail(tx)) == []


def test_what_a_server_refuses_for_now_is_tried_again_and_told_from_the_second_time_on(
    instance: Instance, clock: ManualClock
) -> None:
    with instance.store.write() as tx:
        enqueue(tx, "mail", account_mail("confirm_email").payload)
    with serving(Mailbox(None, offers=False, answers={"RCPT": "451 4.7.1 come back later"})) as port:
        sending = with_mail_server(instance, port, security="none")
        for given_up in (0, 1):
            assert run_due(sending, work_of(sending))
            with instance.store.read() as tx:
                assert [failed_job.state for failed_job in failed_jobs(tx)] == ["waiting"]
                assert len(list(unsent_mail(tx))) == given_up
            clock.advance(seconds=60)
    assert any(
        "could not be sent yet" in reason and "come back later" in reason
        for reason in Watcher(sending).health().reasons
    )


def test_check_asks_whether_the_server_takes_our_sender(instance: Instance) -> None:
    for word, expected in (("MAIL", "501 no such domain"), ("RCPT", "553 not yours"), ("DATA", "")):
        mailbox = Mailbox(None, offers=False, answers={word: expected} if expected else {})
        with serving(mailbox) as port:
            problem = mail_problem(with_mail_server(instance, port, security="none"))
        assert ("" if problem is None else str(problem.values["answer"])) == expected
        assert mailbox.received == [], "nothing is sent"


def test_a_sender_at_localhost_is_warned_of_where_a_server_is_named(instance: Instance) -> None:
    def codes(sender: str) -> set[str]:
        return {warning.code for warning in warnings(with_mail_server(instance, 25, sender=sender))}

    assert "mail_sender" in codes("commensal@localhost")
    assert "mail_sender" not in codes("bonjour@coop.example")


def test_a_server_that_cannot_encrypt_gets_nothing_in_the_clear(instance: Instance) -> None:
    mailbox = Mailbox(None, offers=False)
    with serving(mailbox) as port, pytest.raises(OSError, match="STARTTLS"):
        send_mail(
            with_mail_server(instance, port, username="coop", password=Secret("x")), account_mail("confirm_email")
        )
    assert (mailbox.received, mailbox.log_ins) == ([], [])


def test_a_server_that_is_not_there_is_an_error_that_brings_the_job_back(instance: Instance) -> None:
    with serving(Mailbox(None)) as port:
        pass
    with pytest.raises(OSError, match="refused"):
        send_mail(with_mail_server(instance, port), account_mail("confirm_email"))
