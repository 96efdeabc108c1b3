"""Enterprises with rows in every table, and a mark in each of their texts that people wrote."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from PIL import Image as Pillow
from sqlalchemy import CheckConstraint, Column, Integer, Table, Text, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.enterprises.tokens import make_token
from commensal.hooks import specifications
from commensal.hooks.values import DemoPlace
from commensal.instance import Instance
from commensal.orders.values import Order
from commensal.parts.mail.tables import sent_mail
from commensal.parts.supply.tables import purchase_order, purchase_order_line
from commensal.payments.payments import payments_of
from commensal.payments.problems import keep_problem
from commensal.people.actor import ROLES
from commensal.people.people import Person, person_by_id
from commensal.people.sessions import begin_session
from commensal.products.tables import producer_absence
from commensal.storage.database import Store, Transaction, metadata
from commensal.testing.instances import Plan, RunJobs
from commensal.testing.shop import Shop, open_shop
from commensal_transport.bookings.statements import finish_trip
from commensal_transport.places.routing import Point, Stop
from commensal_transport.tables import transport_booking
from commensal_transport.trips.trips import Trip, insert_trip
from commensal_transport.trips.vehicles import add_vehicle

PRIVATE, PUBLIC = "zqprivate", "zqpublic"  # stand in texts of the first enterprise, and nowhere else

_PUBLIC_TABLES = {
    "enterprise", "supplied_product", "catalog_item", "coordination", "sale_session", "image", "pickup_place",
    "pickup_closure", "stock_lot",
}  # fmt: skip
_PUBLIC_COLUMNS = {
    "name", "slug", "search", "description", "note", "alt", "reason", "email", "phone", "street", "postcode", "city",
    "vat_number", "contact_name", "website", "social_media", "lifetime", "storage", "nutrition",
}  # fmt: skip

# Texts with a meaning: a mark in them would break the code, and people did not write them.
_CODED = {
    "country", "language", "timezone", "currency", "visibility", "unit", "product_type", "kind", "state", "hash",
    "payment_state", "fulfilment_state", "phase", "plugin", "hook", "purpose", "role", "scope", "series", "method",
    "payment_method", "shipping", "segment", "programme", "rhythm", "paid_on", "booked_on", "first_day", "last_day",
    "valid_from", "receipt", "sha256", "secret_hash", "email_hash", "password_hash", "previous_hash", "request_hash",
    "old_secret", "zone", "idempotency_key", "payer", "payee", "recorded_by", "settled_by", "secret", "key", "actor",
    "mailbox", "multikey", "basis", "rule", "keeping", "event", "origin", "digest",
}  # fmt: skip
# Tables whose texts nobody wrote: codes in a chain, and signed JSON, which a mark would damage.
_MADE = ("payment_journal", "federation_key_set")


@dataclass(frozen=True, kw_only=True)
class Settled:
    """An enterprise with the owner's session and token, and people who bought there."""

    shop: Shop
    owner: Person
    shopper: Person
    order: Order
    owner_session: str
    shopper_session: str
    token: str  # the owner's, for this enterprise and with all scopes that it may have there
    guest_secret: str
    calendar_secret: str

    @property
    def id(self) -> str:
        return self.shop.id


def settle(instance: Instance, client: TestClient, clock: ManualClock, id: str) -> Settled:
    """Opens an enterprise that uses every plugin, has sold, was paid, and has something in every list."""
    plan = Plan(plugins=tuple(plugin_entry_points()))
    shop = open_shop(instance, client, RunJobs(instance, clock), plan, id)
    with instance.store.write() as tx:
        place = DemoPlace(instance=instance, enterprise_id=id, seed=1)
        instance.hooks.each(specifications.demo_data, tx=tx, place=place)
    calendar = _fill(shop)
    shopper = shop.somebody(f"shopper-{id}@example.org", "Sophie")
    order = shop.order(person=shopper, note="please ring twice", shipping=_shipping(shop))
    shop.receive("cash:cash", 500)
    _follow(shop, order)
    guest = _as_guest(shop)
    with instance.store.write() as tx:
        _order_from_itself(tx, order)
        fill_the_rest(tx, id)
        owner = person_by_id(tx, _owner_id(shop))
        token = make_token(
            tx, owner.id, name="Scales", scopes=ROLES["owner"] | tx.own_scopes.by_name.keys(), enterprise_id=id
        ).secret
        sessions = [begin_session(tx, person_id, agent="Browser").secret for person_id in (owner, shopper)]
    return Settled(
        shop=shop, owner=owner, shopper=shopper, order=order, owner_session=sessions[0], shopper_session=sessions[1],
        token=token, guest_secret=guest, calendar_secret=calendar,
    )  # fmt: skip


def _owner_id(shop: Shop) -> str:
    owner: str = next(member["person_id"] for member in shop.ask("GET", "/members") if member["role"] == "owner")
    return owner


def _shipping(shop: Shop) -> str:
    return next(shipping_option for shipping_option in shop.shipping_options() if shipping_option.startswith("pickup:"))


def _fill(shop: Shop) -> str:
    """Fills an enterprise before it sells. Returns the secret of a calendar."""
    category = shop.ask("POST", "/customer-categories", {"name": "Neighbours"})["id"]
    contact = {"email": "cleo@example.org", "name": "Cléo", "phone": "+33 1 23 45 67 89", "note": "allergic to nuts"}
    shop.ask("POST", "/customers", {**contact, "categories": [category]})
    item = shop.items["carrots"]
    shop.ask("PUT", f"/items/{item}/prices/{category}", {"price": 200})
    shop.ask("POST", "/catalogs", {"name": "Winter"})
    shop.ask("POST", "/absences", {"first_day": "2027-01-04", "last_day": "2027-01-10"})
    shop.ask("POST", "/roles", {"name": "Market stall", "scopes": ["orders:pack"]})
    drawn = io.BytesIO()
    Pillow.new("RGB", (8, 8), "red").save(drawn, "PNG")
    sent = shop.client.post(
        f"/api/enterprises/{shop.id}/images", params={"alt": "a basket"}, content=drawn.getvalue(),
        headers={"Authorization": f"Bearer {shop.token}", "Content-Type": "image/png"},
    )  # fmt: skip
    assert sent.status_code == 201, sent.text
    return _fill_plugins(shop)


def _follow(shop: Shop, order: Order) -> None:
    """The later steps of a paid order."""
    shop.ask(
        "POST",
        f"/orders/{order.id}/refunds",
        {"method": "cash:cash", "amount": 100, "reference": "two cracked", "anyway": True},
    )
    shop.ask("POST", "/till/counts", {"counted": 400, "float_after": 0, "expected": 400})
    with shop.instance.store.write() as tx:
        paid = payments_of(tx, shop.id, order.id)[0]
        keep_problem(tx, paid, "too_much", reference="a stranger's reference")


def _order_from_itself(tx: Transaction, order: Order) -> None:
    """An order to a supplier, of which the enterprise is both ends."""
    enterprise, id = order.enterprise_id, f"{order.enterprise_id}-purchase"
    moments = {"placed_at": tx.now, "changed_at": tx.now, "compared_at": tx.now}
    values = {"number": 1, "revision": 1, "currency": "EUR", "prices_include_vat": True, "version": 1, **moments}
    states = {"state": "placed", "mail_state": "waiting"}
    ends = {"enterprise_id": enterprise, "supplier_id": enterprise, "session_id": order.session_id}
    tx.execute(insert(purchase_order).values(id=id, **ends, **values, **states))
    away = {"first_day": "2020-01-01", "last_day": "2020-01-02"}
    tx.execute(insert(producer_absence).values(id=f"{enterprise}-absence", enterprise_id=enterprise, **away))
    line = order.lines[0]
    pieces = {"quantity": line.quantity, "counted": line.quantity, "confirmed": None, "reason": "hail"}
    product = {
        name: getattr(line, name) for name in ("product_id", "name", "unit_quantity", "unit", "price", "vat_rate")
    }
    tx.execute(insert(purchase_order_line).values(id=f"{id}-line", order_id=id, **product, **pieces))
    mail = {"kind": "order_placed", "to": "somebody@example.org", "state": "failed", "error": "no such mailbox"}
    for about in ("order_id", "purchase_order_id"):
        row = {"id": f"{id}-{about}", "enterprise_id": enterprise, "attempts": 1, "at": tx.now, **mail}
        tx.execute(insert(sent_mail).values({**row, about: order.id if about == "order_id" else id}))


def _fill_plugins(shop: Shop) -> str:
    customer = shop.ask("GET", "/customers")["items"][0]["id"]
    category = shop.ask("GET", "/customer-categories")[0]["id"]
    account = f"/-/account/customers/{customer}/account"
    shop.ask("POST", account, {})
    shop.ask("POST", f"{account}/entries", {"kind": "paid in", "amount": 1000, "note": "an envelope"})
    bank = {"holder": "The Shop", "iban": "FR7630006000011234567890189"}
    shop.ask("PUT", "/plugins/bank_transfer", {"settings": bank}, version=2)
    statement = "Date;Label;Amount\n04/06/2026;VIR DE INCONNU;12,50\n05/06/2026;LOYER;-9,00\n"
    sent = shop.client.post(
        f"/api/-/bank_transfer/enterprises/{shop.id}/statements", content=statement.encode(),
        headers={"Authorization": f"Bearer {shop.token}", "Content-Type": "application/octet-stream"},
    )  # fmt: skip
    assert sent.status_code == 200, sent.text
    programme = {"id": "fund", "payer": "Fund", "category": category, "percent": "30", "budget": 10000}
    shop.ask("PUT", "/plugins/solidarity", {"settings": {"programmes": [programme]}}, version=1)
    payment = {"amount": 500, "paid_on": "2026-06-01", "reference": "first quarter"}
    shop.ask("POST", "/-/solidarity/programmes/fund/payments", payment)
    shop.ask("POST", "/-/vouchers/batches", {"kind": "card", "amount": 1000, "name": "Cards", "count": 2})
    preset = {"name": "Mine", "segment": "orders", "columns": ["number"], "description": "for the van"}
    shop.ask("POST", "/-/custom_report/presets", preset)
    hook = shop.ask("POST", "/-/webhooks/hooks", {"url": "https://example.org/hook", "events": ["order_placed"]})[
        "hook"
    ]
    shop.ask("POST", f"/-/webhooks/hooks/{hook['id']}/test")
    zones = [{"id": "town", "name": "Town", "postcodes": ["01000"], "price": 300}]
    shop.ask("PUT", "/plugins/delivery", {"settings": {"zones": zones}}, version=1)
    times = {"begins_at": "2026-06-06T15:00:00Z", "ends_at": "2026-06-06T16:00:00Z"}
    shop.ask("POST", f"/-/delivery/sale-sessions/{shop.session_id}/slots", times)
    hall = shop.ask("POST", "/-/pickup/places", {"name": "Hall", "street": "1 rue Haute", "note": "the green door"})
    shop.ask("POST", f"/-/pickup/sale-sessions/{shop.session_id}/slots", {"place_id": hall["id"], **times})
    shop.ask("POST", f"/-/pickup/places/{hall['id']}/closures", {"first_day": "2026-08-01", "reason": "holidays"})
    calendar: str = shop.ask("POST", f"/-/pickup/places/{hall['id']}/calendar")["url"]
    with shop.instance.store.write() as tx:
        _drive_a_trip(tx, shop.id)
    return calendar.rpartition("/")[2].removesuffix(".ics")


def _drive_a_trip(tx: Transaction, id: str) -> None:
    """Writes a trip without goods, its statement, and a load that was called off."""
    vehicle = add_vehicle(tx, id, name="Kangoo", crates=40, kg=600)
    home, ends_at = Point(Decimal("47.39"), Decimal("0.68")), tx.now + timedelta(hours=2)
    stops = [
        Stop(id=tx.new_id(), enterprise_id=id, place=home, opens=tx.now, closes=ends_at, free=vehicle.room)
        for _ in range(2)
    ]
    trip = Trip(
        id=tx.new_id(), enterprise_id=id, vehicle_id=vehicle.id, basis="farm_help", proof="", rule="same_saving/1",
        crates=vehicle.crates, kg=vehicle.kg, cold=vehicle.cold, keeping=vehicle.keeping,
        cents_per_km=vehicle.cents_per_km, toll=0, stop_price=0, crate_price=0, starts_at=tx.now, ends_at=ends_at,
        book_until=tx.now, state="open", version=1, stops=tuple(stops),
    )  # fmt: skip
    insert_trip(tx, trip)
    finish_trip(tx, id, trip.id)
    load = {"crates": 1, "kg": 1, "cold": 0, "keeping": vehicle.keeping, "own_boxes": False, "room_crates": 1}
    load |= {"alone": 0, "tariff": 0}
    when = {"pickup_at": tx.now, "delivery_at": ends_at, "booked_at": tx.now}
    booking = {"id": tx.new_id(), "trip_id": trip.id, "sender_id": id, "receiver_id": id, "origin": "", "sale_id": ""}
    tx.execute(insert(transport_booking).values(**booking, **load, **when, state="refused", version=1))


def fill_the_rest(tx: Transaction, id: str) -> None:
    """Inserts a row of this enterprise into every empty table, as if it had come from outside."""
    for table in sorted(metadata.sorted_tables, key=lambda table_: "enterprise_id" not in table_.c):
        has_required_keys = any(column.foreign_keys for column in table.c if not column.nullable)
        if has_required_keys or "id" not in table.c:
            continue
        row = {column.name: _a_value(tx, table, column) for column in table.c if _is_wanted(column)}
        if "enterprise_id" in table.c:
            if tx.first(select(table.c.id).where(table.c.enterprise_id == id)) is None:
                tx.execute(insert(table).values({**row, "enterprise_id": id}))
        elif table.name == "federation_cut":
            tx.execute(insert(table).values({**row, "id": f"{id}-cut", "order_id": _federations_order(tx, id)}))


def _federations_order(tx: Transaction, id: str) -> Any:
    order = metadata.tables["federation_order"]
    return tx.value(select(order.c.id).where(order.c.enterprise_id == id))


def _is_wanted(column: Column[Any]) -> bool:
    """Whether a row needs a value: any would do, except for words of a few that have a default."""
    return not column.nullable and (column.server_default is None or column.name not in _CODED)


def _a_value(tx: Transaction, table: Table, column: Column[Any]) -> Any:
    words = [str(constraint.sqltext) for constraint in table.constraints if isinstance(constraint, CheckConstraint)]
    matches = [re.search(rf"^{column.name} IN \('([^']*)'", word) for word in words]
    if any(matches):
        return next(match[1] for match in matches if match)
    if isinstance(column.type, Integer):
        return 1
    values_by_type: dict[str, Any] = {"Flag": False, "Time": tx.now, "Exact": Decimal(1), "Json": {}}
    return values_by_type.get(type(column.type).__name__, tx.new_id())


def _as_guest(shop: Shop) -> str:
    """Orders like a guest. Returns the secret of the order."""
    wish = {"items": {shop.items["juice"]: 1}, "name": "Gaston", "email": f"gaston-{shop.id}@example.org"}
    wish["shipping"] = _shipping(shop)
    sent = shop.client.post(
        f"/api/sale-sessions/{shop.session_id}/orders", json=wish, headers={"Idempotency-Key": f"guest-{shop.id}"}
    )
    assert sent.status_code == 201, sent.text
    secret: str = sent.json()["secret"]
    return secret


# ------------------------------------------------------------------------------------------------ marks


def mark(store: Store, *, before: str = "") -> Mapping[str, int]:
    """Puts a mark into every text of every row, and returns how many each column has.

    Call it while the first enterprise is alone: then only its rows bear a mark. With `before`, every text begins with
    that and gets no mark.
    """
    with store.write() as tx, _without_triggers(tx):
        written = [column for table in metadata.sorted_tables for column in table.columns if is_written(column)]
        return {f"{column.table.name}.{column.name}": _mark(tx, column, before) for column in written}


@contextmanager
def _without_triggers(tx: Transaction) -> Iterator[None]:
    """Lets the block change also what only grows."""
    if tx.postgresql:
        for switch in ("DISABLE", "ENABLE"):
            for table in metadata.sorted_tables:
                tx.execute(text(f'ALTER TABLE "{table.name}" {switch} TRIGGER USER'))
            if switch == "DISABLE":
                yield
        return
    triggers = tx.all(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    for trigger in triggers:
        tx.execute(text(f'DROP TRIGGER "{trigger["name"]}"'))
    yield
    for trigger in triggers:
        tx.execute(text(trigger["sql"]))


def _mark(tx: Transaction, column: Column[str], before: str) -> int:
    """A column that takes no mark, because the database checks its words, has none."""
    mark = PUBLIC if column.table.name in _PUBLIC_TABLES and column.name in _PUBLIC_COLUMNS else PRIVATE
    try:
        with tx.attempt():
            return tx.execute(
                update(column.table).values({column: before + column if before else column + mark})
            ).rowcount
    except IntegrityError:
        return 0


def is_written(column: Column[Any]) -> bool:
    """Returns whether people wrote the column's text: it is neither an id nor a code."""
    name, table = column.name, column.table.name
    is_code = column.primary_key or column.foreign_keys or name in _CODED or name == "id" or name.endswith("_id")
    is_code = is_code and f"{table}.{name}" != "bank_transfer_entry.payer"  # the payer is a person
    return isinstance(column.type, Text) and not is_code and table not in _MADE
