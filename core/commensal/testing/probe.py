"""A plugin that implements every hook correctly; a test can make one of them misbehave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import insert

from ..base.clock import ManualClock
from ..base.errors import Problem
from ..base.ids import SeededIds
from ..enterprises.tables import enterprise_plugin
from ..hooks.breaker import Failure
from ..hooks.contract import hookimpl
from ..hooks.dispatcher import Hooks
from ..hooks.failures import Recorder
from ..hooks.loading import load_plugins
from ..hooks.values import (
    ConsentRequest,
    FoundPlace,
    IdentityProvider,
    MenuItem,
    PageLine,
    PagePart,
    PaymentMethod,
    PaymentStart,
    PaymentUpdate,
    ProvenIdentity,
    RoadTable,
    ShippingOption,
    Threshold,
)
from ..instance import Instance, InstanceSettings
from ..parts.privacy.personal_rows import KeptRows
from ..parts.reports.values import Report
from ..payments.values import Payment
from ..people.tables import person
from ..pricing.values import Adjustment, OrderDraft, Phase, WeightRule
from ..storage.database import Store, Transaction
from ..storage.jobs import Work
from .placed import a_lot, a_shop, an_item


@dataclass(frozen=True)
class ProbeSettings:
    """Of an enterprise, and of the instance."""

    word: str = ""


def _van(at: datetime) -> ShippingOption:
    return ShippingOption(id="van", label="Van", begins_at=at, ends_at=at + timedelta(hours=1))


def _update(payment: Payment) -> PaymentUpdate:
    return PaymentUpdate(payment_id=payment.id, state="Done", amount=payment.amount, currency=payment.currency)


def _fee(tx: Transaction, order: OrderDraft, phase: Phase) -> list[Adjustment] | None:
    return [Adjustment(phase=phase, kind="fee", label="Fee", amount=10)] if phase is Phase.FEE else None


# Working implementations, by the name of the hook.
GOOD: dict[str, Callable[..., object]] = {
    "instance_settings": lambda: ProbeSettings,
    "enterprise_settings": lambda: ProbeSettings,
    "migrations": lambda: None,
    "endpoints": list,
    "routes": list,
    "fixed_routes": list,
    "dialects": list,
    "message_types": dict,
    "peer_documents": dict,
    "product_fields": list,
    "order_fields": list,
    "customer_fields": list,
    "scopes": list,
    "roles": list,
    "mail_kinds": dict,
    "mail_placeholders": lambda: {"probe_word": "a word of the probe"},
    "jobs": lambda: Work({}),
    "commands": lambda app: None,
    "check_settings": lambda settings: [],
    "switched_on": lambda tx: None,
    "switched_off": lambda tx: None,
    "move_obstacles": lambda tx: None,
    "warnings": lambda: [Problem("nothing", "There is nothing here.")],
    "invariants": lambda tx: [],
    "health_reasons": lambda tx: [Problem("nothing", "There is nothing here.")],
    "menu_items": lambda tx: [MenuItem(label="Probe", url="/probe")],
    "page_parts": lambda page: [PagePart(title="Probe", lines=[PageLine(text="Something of the probe")])],
    "office_pages": list,
    "act_kinds": list,
    "shop_pages": list,
    "order_links": lambda page: [MenuItem(label="Calendar", url=f"/-/probe{page}")],
    "mail_parts": lambda kind: [PagePart(title="Probe", lines=[PageLine(text="Something of the probe")])],
    "placeholder_values": lambda names: dict.fromkeys(names, "Something of the probe"),
    "reports": lambda tx: [Report(id="all", label="All", description="", columns=[], rows=lambda query: [])],
    "person_data": lambda tx, person: [KeptRows(name="letters", rows=[{"to": person.email}])],
    "erase_person": lambda tx, person: None,
    "identity_providers": lambda: [IdentityProvider(id="main", label="The co-operative")],
    "start_log_in": lambda attempt: f"https://id.example.org/?state={attempt.state}",
    "prove_identity": lambda answer: ProvenIdentity(issuer="https://id.example.org", subject=answer["code"]),
    "log_out_elsewhere": lambda provider: f"https://id.example.org/end?{provider}",
    "sale_copied": lambda tx, copy: None,
    "sale_moved": lambda tx, session: None,
    "payment_holds": lambda tx: [],
    "demand_elsewhere": lambda tx: [],
    "ordered_by_plugin": lambda tx: [],
    "demand_shaping": lambda demand: [],
    "plan_rounds": lambda task: [],
    "geocode": lambda address: FoundPlace(
        latitude=Decimal("47.39"), longitude=Decimal("0.68"), label=address.city, source="probe"
    ),
    "distances": lambda points: RoadTable(source="probe", metres=(), seconds=()),
    "share_costs": lambda language: [],
    "price_adjustments": _fee,
    "order_thresholds": lambda order: [Threshold(label="Fee", amount=5000, reached=1000, saving=10)],
    "weight_rules": lambda order: [WeightRule.fixed(each) for each in order.adjustments if each.plugin == "probe"],
    "takes_codes": lambda tx: True,
    "adjustment_names": lambda tx: {"Fee": "Frais"},
    "settle_adjustments": lambda tx: None,
    "order_problems": lambda total: [],
    "order_changing": lambda tx, by: [],
    "consent_requests": lambda order: [
        ConsentRequest(id=id, text="The baker may write to me.") for id in ("letters", "notices")
    ],
    "shipping_options": lambda tx: [_van(tx.now)],
    "book_shipping": lambda tx: _van(tx.now),
    "release_shipping": lambda: True,
    "bring_stock": lambda missing: False,
    "payment_methods": lambda: [PaymentMethod(id="card", label="Card")],
    "start_payment": lambda: PaymentStart(text="Pay."),
    "pay_from_credit": lambda order: None,
    "payment_webhook": list,
    "payment_status": lambda: None,
    "cancel_payment": lambda: None,
    "refund_payment": lambda refund: _update(refund),
    "credit_target": lambda tx: "Savings",
    "credit_customer": lambda tx, amount: None,
    "send_notice": lambda notice: None,
    "order_placed": lambda order: None,
    "order_changed": lambda order: None,
    "order_cancelled": lambda order: None,
    "order_fulfilled": lambda order: None,
    "order_paid": lambda order: None,
    "customer_created": lambda customer: None,
    "payment_received": lambda payment: None,
    "payment_refunded": lambda payment: None,
    "payment_failed": lambda payment: None,
    "sale_planned": lambda sale: None,
    "sale_cancelled": lambda sale: None,
    "sale_opened": lambda sale: None,
    "sale_completed": lambda sale: None,
    "stock_changed": lambda lot: None,
    "stock_low": lambda lot: None,
    "sold_out": lambda lot: None,
    "product_changed": lambda product: None,
    "listing_changed": lambda item_ids: None,
    "demo_network": lambda network: None,
    "demo_data": lambda tx: True,
}


class Telling(Recorder):
    """Sets an event when a failure was recorded."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.told = threading.Event()

    def keep(self, failure: Failure) -> None:
        super().keep(failure)
        self.told.set()


@dataclass
class Probe:
    """The plugin. Its `hook` misbehaves in the way `fault`, a method of this class, while `sick` is True."""

    hook: str
    fault: str
    sick: bool = True
    noted: threading.Event = field(default_factory=threading.Event)

    def module(self) -> ModuleType:
        module = ModuleType("probe")
        for name, good in GOOD.items():
            setattr(module, name, hookimpl(self._switch(good) if name == self.hook else _named(name, good)))
        return module

    def _switch(self, good: Callable[..., object]) -> Callable[..., Any]:
        @wraps(good)
        def implementation(**arguments: object) -> Any:
            return getattr(self, self.fault)(good, arguments) if self.sick else good(**arguments)

        return _named(self.hook, implementation)

    def raises(self, good: object, arguments: object) -> Any:
        raise RuntimeError("broken on purpose")

    def hangs(self, good: Callable[..., object], arguments: dict[str, object]) -> Any:
        """Hangs until the failure was recorded."""
        assert self.noted.wait(30)
        return good(**arguments)

    def nonsense(self, good: object, arguments: object) -> Any:
        return ["nonsense", 5]

    def coroutine(self, good: Callable[..., object], arguments: dict[str, object]) -> Any:
        async def later() -> Any:
            await asyncio.sleep(0)
            return good(**arguments)

        return later()

    def writes(self, good: object, arguments: dict[str, Any]) -> Any:
        tx: Transaction = arguments["tx"]
        values = {"name": "", "phone": "", "language": "fr", "is_operator": True, "version": 1}
        tx.execute(insert(person).values(id="sneaked", email="x@example.org", created_at=tx.now, **values))


def _named(name: str, function: Callable[..., object]) -> Callable[..., Any]:
    @wraps(function)
    def named(*args: object, **arguments: object) -> Any:
        return function(*args, **arguments)

    named.__name__ = name
    return named


@dataclass
class World:
    """A real instance with a shop that has ten apples and uses the probe."""

    instance: Instance
    probe: Probe
    item: str
    lot: str
    keeper: Telling

    @property
    def hooks(self) -> Hooks:
        return self.instance.hooks


def build(store: Store, clock: ManualClock, ids: SeededIds, folder: Path, probe: Probe) -> World:
    """Makes the instance with the probe and the shop. Raises if the instance cannot start with it."""
    settings = InstanceSettings(
        name="Test", base_url="http://testserver", language="en", plugins={"enabled": ["probe"]}
    )
    instance = Instance(
        folder, settings, store, load_plugins(settings, clock=clock, modules={"probe": probe.module()}), clock, ids
    )
    keeper = Telling(store)
    keeper.told = probe.noted
    instance.hooks.keep_failures(keeper)
    with store.write() as tx:
        a_shop(tx)
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="probe", settings={}, version=1))
        lot = a_lot(tx)
        item = an_item(tx, lot)
    return World(instance, probe, item, lot, keeper)


def shorten(hook: Any, monkeypatch: Any) -> None:
    """Shortens the hook's timeout to 0.05 s, so that tests of hooks that hang are quick."""
    monkeypatch.setattr(hook, "contract", replace(hook.contract, timeout=0.05))
