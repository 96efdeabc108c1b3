"""A person with a canary in every field: an archive for them has all of them, and what is kept afterwards has none."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import MetaData, insert, select
from starlette.testclient import TestClient

from commensal import Refused
from commensal.audit.trail import AuditFilter, audit_entries
from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.base.ids import SeededIds
from commensal.enterprises.customers import change_customer, customer_by_email
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.fulfil import complete_due, hand_order_over
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id
from commensal.orders.tables import order_link
from commensal.parts.checks import broken_invariants
from commensal.parts.mail.log import note_mail
from commensal.parts.privacy.export import archive_of, data_of, subject_by_email
from commensal.parts.privacy.forgetting import forget_person
from commensal.parts.privacy.retention import apply_retention
from commensal.parts.privacy.tables import retained_identity
from commensal.parts.serving.app import make_app
from commensal.payments.payments import receive_payment
from commensal.people.codes import fingerprint
from commensal.people.people import add_person, new_person
from commensal.storage.database import Store
from commensal.storage.jobs import Job
from commensal.testing.instances import client_of
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_account.accounts import open_account, write_entry
from commensal_bank_transfer.tables import bank_transfer_entry
from commensal_delivery.slots import add_slot
from commensal_delivery.zones import DeliverySettings
from commensal_vouchers.create import VoucherTerms, add_voucher
from commensal_webhooks.data import order_data
from commensal_webhooks.tables import webhooks_delivery, webhooks_hook

PASSWORD = "a long enough password"
EMAIL = "zq-canary@example.org"
ZONES = {"zones": [{"id": "tours", "name": "Tours", "postcodes": ["37*"], "price": 150}]}
IN_THE_ARCHIVE = (
    "zq-canary@",
    "zq-name",
    "zq-phone",
    "zq-agent",
    "zq-token",
    "zq-note",
    "zq-street",
    "zq-floor",
    "zq-known-as",
    "zq-code",
    "zq-remark",
    "zq-door",
    "zq-way",
    "zq-ledger",
    "zq-payer",
    "zq-text",
)


@pytest.fixture
def instance(
    settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> Iterator[Instance]:
    """An instance with all plugins, all of them enabled at the shop."""
    all_settings = replace(settings, plugins={"enabled": list(plugin_entry_points())})
    with Instance(tmp_path, all_settings, store, load_plugins(all_settings, clock=clock), clock, ids) as instance:
        yield instance


class Zoe:
    """A person with an account who has ordered goods to her door, paid for them, and left words everywhere."""

    def __init__(self, instance: Instance, clock: ManualClock) -> None:
        self.instance, self.clock = instance, clock
        self.client = client_of(make_app(instance))
        with instance.store.write() as tx:
            a_shop(tx)
            for plugin in instance.hooks.plugins():
                plugin_settings = ZONES if plugin == "delivery" else {}
                row = {"enterprise_id": "shop", "plugin": plugin, "settings": plugin_settings, "version": 1}
                tx.execute(insert(enterprise_plugin).values(row))
            begins_at = clock.now() + timedelta(days=2, hours=5)
            ends_at = begins_at + timedelta(hours=2)
            self.slot = add_slot(
                tx, DeliverySettings(), "shop", "shop-session", begins_at=begins_at, ends_at=ends_at
            ).id
            self.item = an_item(tx, a_lot(tx, on_hand="9"), name="Carottes")
            one_each = VoucherTerms(kind="amount", name="Hello", amount=50, once=True)
            self.voucher = add_voucher(tx, "shop", one_each, code="HELLO")
            new_zoe = new_person(email=EMAIL, name="zq-name", password=PASSWORD, language="en", phone="zq-phone 639985")
            zoe = add_person(tx, new_zoe, confirmed=True)
            assert zoe is not None
            self.id = zoe.id
        self.log_in()
        token = {"name": "zq-token", "scopes": ["self"]}
        assert self.client.post("/api/me/tokens", json={**token, "password": PASSWORD}).status_code == 201
        self.order = self.place()
        self.leave_words()

    def log_in(self) -> None:
        body = {"email": EMAIL, "password": PASSWORD, "agent": "zq-agent"}
        assert self.client.post("/api/sessions", json=body).status_code == 201

    def place(self) -> str:
        address = {"street": "zq-street", "postcode": "37000", "city": "Tours", "country": "FR", "note": "zq-floor"}
        wish = {
            "items": {self.item: 2},
            "name": "zq-name",
            "email": EMAIL,
            "phone": "zq-phone 639985",
            "note": "zq-note",
            "shipping": f"delivery:{self.slot}",
            "payment_method": "cash:cash",
            "address": address,
            "codes": ["hello"],
            "plugin_fields": {"delivery": {"door_code": "zq-door"}},
        }
        response = self.client.post(
            "/api/sale-sessions/shop-session/orders", json=wish, headers={"Idempotency-Key": "once"}
        )
        assert response.status_code == 201, response.text
        return str(response.json()["order"]["id"])

    def leave_words(self) -> None:
        with self.instance.store.write() as tx:
            record = customer_by_email(tx, "shop", EMAIL)
            changes: Any = {"name": "zq-known-as", "code": "zq-code", "note": "zq-remark"}
            changes |= {"plugin_fields": {"delivery": {"directions": "zq-way"}}}
            change_customer(tx, "shop", record.id, record.version, **changes)
            self.customer = record.id
            open_account(tx, "shop", record.id)
            for kind, amount in (("paid in", 500), ("paid out", -500)):
                write_entry(tx, "shop", record.id, kind, amount, note="zq-ledger", person_id=None)  # type: ignore[arg-type]
            order = order_by_id(tx, self.order, person_id=self.id)
            entry: Any = {
                "id": tx.new_id(),
                "enterprise_id": "shop",
                "key": "k",
                "booked_on": "2026-06-04",
                "amount": 1,
            }
            entry |= {"currency": "EUR", "payer": "zq-payer", "text": "zq-text", "state": "matched"}
            tx.execute(insert(bank_transfer_entry).values(**entry, order_id=order.id, created_at=tx.now))
            hook: Any = {"id": "hook", "enterprise_id": "shop", "url": "https://hooks.example.org", "events": []}
            hook |= {"personal": True, "secret": "whsec_x", "enabled": True, "off_because": "", "failures": 0}
            tx.execute(insert(webhooks_hook).values(**hook, created_at=tx.now, version=1))
            body = msgspec.json.encode(order_data(order, personal=True)).decode()
            sent: Any = {
                "id": "sent",
                "hook_id": "hook",
                "event_id": "e",
                "kind": "order_placed",
                "body": body,
                "tries": 1,
            }
            sent |= {"state": "delivered", "error": "", "due_at": tx.now, "created_at": tx.now}
            tx.execute(insert(webhooks_delivery).values(sent))
            mail = {"kind": "order_placed", "order_id": order.id, "to": EMAIL}
            note_mail(tx, Job("mail", "mail", mail, 1), "550 no mailbox of zq-name")

    def settle(self) -> None:
        """Closes the sale, hands the goods over and records the payment."""
        self.clock.advance(days=10)
        with self.instance.store.write() as tx:
            complete_due(tx)
            order = locked_order(tx, self.order, enterprise_id="shop")
            hand_order_over(tx, order)
            receive_payment(
                tx,
                enterprise_id="shop",
                order_id=self.order,
                method="cash:cash",
                amount=order.total,
                idempotency_key="k",
                person_id=None,
            )

    def forget(self) -> Any:
        with self.instance.store.write() as tx:
            return forget_person(tx, self.instance.hooks, subject_by_email(tx, self.instance.hooks, EMAIL), years=10)


@pytest.fixture
def zoe(instance: Instance, clock: ManualClock) -> Zoe:
    return Zoe(instance, clock)


def dump(store: Store, *excluded: str) -> str:
    """Returns every row of every table in the database, even of tables unknown to the code."""
    metadata = MetaData()
    with store.read() as tx:
        metadata.reflect(bind=tx.connection)
        return "\n".join(
            f"{table.name}: {dict(row)}"
            for table in metadata.sorted_tables
            if table.name not in excluded
            for row in tx.execute(select(*table.c)).mappings()
        )


def lines_with(text: str, word: str) -> list[str]:
    return [line[:160] for line in text.splitlines() if word in line]


def archive(zoe: Zoe) -> str:
    answer = zoe.client.post("/api/me/export")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zip_file:
        return "\n".join(zip_file.read(name).decode("utf-8-sig") for name in zip_file.namelist())


def test_an_order_of_somebody_forgotten_is_still_read(zoe: Zoe) -> None:
    zoe.settle()
    zoe.forget()
    with zoe.instance.store.read() as tx:
        forgotten = order_by_id(tx, zoe.order, enterprise_id="shop")
    assert (forgotten.codes, forgotten.address, forgotten.plugin_fields) == ((), None, {})


def test_an_archive_holds_everything_that_is_known_of_somebody_and_no_secret(zoe: Zoe) -> None:
    text = archive(zoe)
    assert [word for word in IN_THE_ARCHIVE if word not in text] == []
    assert "argon2" not in text
    with zoe.instance.store.read() as tx:
        trail = audit_entries(tx, AuditFilter(person_id=zoe.id))
    assert (trail[0].action, trail[0].command) == ("exported", "export_me")


def test_the_same_archive_is_made_from_the_shell_for_who_has_only_an_address(zoe: Zoe) -> None:
    with zoe.instance.store.read() as tx:
        data = data_of(tx, zoe.instance.hooks, subject_by_email(tx, zoe.instance.hooks, EMAIL))
    assert {"person", "customer", "customer_order", "order_line", "account_entry", "webhooks_delivery"} <= set(data)
    with zipfile.ZipFile(io.BytesIO(archive_of(data, "fr"))) as zip_file:
        assert {"read-me.txt", "person.json", "person.csv", "customer_order.csv"} <= set(zip_file.namelist())


def test_nobody_is_forgotten_while_an_order_is_not_settled(zoe: Zoe) -> None:
    refused = zoe.client.post("/api/me/erasure", json={"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (409, "order_open")
    assert "Order 1 at shop" in refused.json()["detail"]
    assert archive(zoe).count("zq-street")


def test_nobody_is_forgotten_while_an_account_is_not_at_zero(zoe: Zoe) -> None:
    zoe.settle()
    with zoe.instance.store.write() as tx:
        write_entry(tx, "shop", zoe.customer, "paid in", 300, note="", person_id=None)
    with pytest.raises(Refused, match="account at shop is not at zero"):
        zoe.forget()


def test_after_somebody_was_forgotten_only_the_restricted_table_knows_their_name(zoe: Zoe) -> None:
    zoe.settle()
    assert lines_with(dump(zoe.instance.store), "zq-")
    refusal = zoe.client.post("/api/me/erasure", json={"password": "not the password"})
    assert refusal.status_code == 422
    response = zoe.client.post("/api/me/erasure", json={"password": PASSWORD})
    assert response.status_code == 200, response.text
    assert response.json()["identities"] == 1
    assert lines_with(dump(zoe.instance.store, "retained_identity"), "zq-") == []
    assert zoe.client.get("/api/me").status_code == 401
    with zoe.instance.store.read() as tx:
        order = order_by_id(tx, zoe.order, enterprise_id="shop")
        assert (order.name, order.email) == (f"forgotten-{zoe.order}", f"forgotten-{zoe.order}@forgotten.invalid")
        assert (order.total, order.payment_state) == (order.paid_total, "Paid")
        assert broken_invariants(tx) == []
        identity = tx.one(select(retained_identity))
        assert (identity["name"], identity["keep_until"].year, identity["order_id"]) == ("zq-name", 2037, zoe.order)
        assert audit_entries(tx, AuditFilter(object_kind="person", object_id=zoe.id))[0].action == "forgot"


def test_after_the_legal_time_nothing_knows_their_name(zoe: Zoe, clock: ManualClock) -> None:
    zoe.settle()
    zoe.forget()
    clock.advance(days=365 * 11)
    with zoe.instance.store.write() as tx:
        assert apply_retention(tx, zoe.instance.hooks, zoe.instance.settings.retention).identities == 1
    assert lines_with(dump(zoe.instance.store), "zq-") == []


def test_the_address_may_be_used_for_a_new_account_afterwards(zoe: Zoe) -> None:
    zoe.settle()
    zoe.forget()
    new_account = {"email": EMAIL, "name": "Somebody", "password": PASSWORD}
    assert zoe.client.post("/api/people", json=new_account).status_code == 202
    zoe.log_in()
    assert zoe.client.get("/api/me/orders").json()["items"] == []


def test_links_of_old_e_mails_open_nothing_of_who_is_forgotten(zoe: Zoe) -> None:
    with zoe.instance.store.write() as tx:
        row = {"secret_hash": fingerprint("s" * 43), "order_id": zoe.order, "created_at": tx.now}
        tx.execute(insert(order_link).values(row))
    zoe.settle()
    zoe.forget()
    with zoe.instance.store.read() as tx:
        assert tx.all(select(order_link)) == []


def test_a_second_time_there_is_nobody_to_forget(zoe: Zoe) -> None:
    zoe.settle()
    zoe.forget()
    with pytest.raises(Refused, match="Nothing is known"):
        zoe.forget()


def test_a_token_is_not_enough_to_take_everything_or_to_forget(zoe: Zoe) -> None:
    secret = zoe.client.post("/api/me/tokens", json={"name": "t", "scopes": ["self"], "password": PASSWORD}).json()[
        "secret"
    ]
    with TestClient(make_app(zoe.instance)) as program:
        sent = {"Authorization": f"Bearer {secret}"}
        assert program.post("/api/me/export", headers=sent).status_code == 403
        body = {"password": PASSWORD}
        assert program.post("/api/me/erasure", json=body, headers=sent).status_code == 403
