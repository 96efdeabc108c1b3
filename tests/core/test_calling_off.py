"""A customer who pays again because an answer was lost is not charged twice: the first attempt is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import insert

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.hooks.values import PaymentMethod, PaymentStart, PaymentUpdate
from commensal.instance import Instance, InstanceSettings
from commensal.payments.begin import ask_plugin, begin_payment, start_payment
from commensal.payments.due import due
from commensal.payments.methods import choose_method
from commensal.payments.payments import payments_of
from commensal.payments.values import Payment
from commensal.storage.database import Store
from commensal.testing.placed import a_placed_order, a_shop


@dataclass
class Provider:
    """A provider that charges at once; `then` is called before it answers."""

    charged: list[str] = field(default_factory=list)
    then: Callable[[], None] = lambda: None

    def charge(self, payment: Payment) -> PaymentStart:
        if payment.id not in self.charged:
            self.charged.append(payment.id)
        self.then()
        return PaymentStart(state="Done", reference="charged")

    def status(self, payment: Payment) -> PaymentUpdate | None:
        if payment.id not in self.charged:
            return None
        return PaymentUpdate(payment_id=payment.id, state="Done", amount=payment.amount, currency=payment.currency)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def instance(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, provider: Provider) -> Instance:
    till = ModuleType("till")
    till.payment_methods = hookimpl(lambda: [PaymentMethod(id="card", label="Card")])  # type: ignore[attr-defined]
    till.start_payment = hookimpl(lambda payment: provider.charge(payment))  # type: ignore[attr-defined]
    till.payment_status = hookimpl(lambda payment: provider.status(payment))  # type: ignore[attr-defined]
    settings = InstanceSettings(name="Test", plugins={"enabled": ["till"]})
    with store.write() as tx:
        a_shop(tx)
        a_placed_order(tx, total=1250, id="order")
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="till", settings={}, version=1))
    return Instance(tmp_path, settings, store, load_plugins(settings, clock=clock, modules={"till": till}), clock, ids)


class Crash(BaseException):
    """Stands for a killed process: nothing in the core catches it."""


def _lose_the_answer() -> None:
    raise Crash


def _begin(instance: Instance, key: str) -> Payment:
    method = choose_method(instance, "order", "till:card", "en")
    return instance.store.transact(lambda tx: begin_payment(tx, instance.hooks, method, key))


def _states(instance: Instance) -> list[str]:
    with instance.store.read() as tx:
        return [payment.state for payment in payments_of(tx, "shop", "order")]


def test_a_charge_whose_answer_was_lost_is_found_by_the_second_attempt(instance: Instance, provider: Provider) -> None:
    provider.then = _lose_the_answer
    with pytest.raises(Crash):
        start_payment(instance, "order", "till:card", "first", "en")
    start_payment(instance, "order", "till:card", "second", "en")
    assert (len(provider.charged), _states(instance)) == (1, ["Done", "Cancelled"])


def test_the_third_attempt_finds_the_charge_if_the_second_died_before_its_check(
    instance: Instance, provider: Provider
) -> None:
    provider.then = _lose_the_answer
    with pytest.raises(Crash):
        start_payment(instance, "order", "till:card", "first", "en")
    _begin(instance, "second")  # and killed
    start_payment(instance, "order", "till:card", "third", "en")
    assert (len(provider.charged), _states(instance)) == (1, ["Done", "Cancelled", "Cancelled"])


def test_an_attempt_that_failed_without_an_answer_may_have_charged(instance: Instance, provider: Provider) -> None:
    def lose_connection() -> None:
        raise ConnectionError("the line went dead")

    provider.then = lose_connection
    assert start_payment(instance, "order", "till:card", "first", "en").state == "Failed"
    start_payment(instance, "order", "till:card", "second", "en")
    assert (len(provider.charged), _states(instance)) == (1, ["Done", "Cancelled"])
    with instance.store.read() as tx:
        assert due(tx, "shop", "order").balance == 0


def test_who_asks_again_for_a_payment_that_was_replaced_charges_nothing(instance: Instance, provider: Provider) -> None:
    first = _begin(instance, "first")
    start_payment(instance, "order", "till:card", "second", "en")
    assert ask_plugin(instance, first, "en").state == "Cancelled"
    assert len(provider.charged) == 1
