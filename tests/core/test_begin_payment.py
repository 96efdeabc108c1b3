"""Beginning a payment: the core calls the plugin outside every transaction, and the order stays whatever it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import insert

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, NotFound, Refused
from commensal.base.ids import SeededIds
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.hooks.values import PaymentMethod, PaymentStart
from commensal.instance import Instance, InstanceSettings
from commensal.payments.begin import start_payment
from commensal.payments.due import due
from commensal.payments.methods import payment_methods
from commensal.payments.payments import payments_of, receive_payment
from commensal.payments.values import Payment
from commensal.storage.database import Store
from commensal.testing.placed import a_placed_order, a_shop


@dataclass(frozen=True)
class Kiosk:
    """The shop's settings of the plugin."""

    greeting: str = "Hello"


class Calls(list[dict[str, Any]]):
    """The calls that the plugin received; `act` answers them."""

    act: Callable[[], Any] = staticmethod(
        lambda: PaymentStart(text="Pay at the desk.", redirect="/pay", reference="psp-1")
    )


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def instance(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, calls: Calls) -> Instance:
    """A shop that uses the plugins `kiosk` and `bare`, not `off`; one order of 12.50."""

    def ask(
        payment: Payment, method: str, order_number: int, email: str, return_url: str, settings: Kiosk, language: str
    ) -> Any:
        calls.append(dict(locals()) | {"settings": settings.greeting})
        del calls[-1]["calls"]
        return calls.act()

    def offer(settings: Kiosk, language: str) -> list[Any]:
        return [PaymentMethod(id="desk", label=f"{settings.greeting} ({language})"), PaymentMethod(id="=x", label="")]

    kiosk, bare, off = ModuleType("kiosk"), ModuleType("bare"), ModuleType("off")
    kiosk.start_payment, kiosk.payment_methods = hookimpl(ask), hookimpl(offer)  # type: ignore[attr-defined]
    kiosk.enterprise_settings = hookimpl(lambda: Kiosk)  # type: ignore[attr-defined]
    bare.payment_methods = hookimpl(lambda settings: [PaymentMethod(id="bare", label=repr(settings))])  # type: ignore[attr-defined]
    off.payment_methods = hookimpl(lambda: [PaymentMethod(id="off", label="Off")])  # type: ignore[attr-defined]
    settings = InstanceSettings(name="Test", plugins={"enabled": ["kiosk", "off", "bare"]})
    hooks = load_plugins(settings, clock=clock, modules={"kiosk": kiosk, "bare": bare, "off": off})
    with store.write() as tx:
        a_shop(tx)
        a_placed_order(tx, total=1250, id="order")
        for plugin, values in (("kiosk", {"greeting": "Bonjour"}), ("bare", {})):
            tx.execute(
                insert(enterprise_plugin).values(enterprise_id="shop", plugin=plugin, settings=values, version=1)
            )
    return Instance(tmp_path, settings, store, hooks, clock, ids)


def begin(instance: Instance, key: str = "key", method: str = "kiosk:desk", order_id: str = "order") -> Any:
    return start_payment(instance, order_id, method, key, "fr")


def test_the_plugin_is_told_what_is_due_and_the_payer_what_to_do(instance: Instance, calls: Calls) -> None:
    payment_begun = begin(instance)
    assert (payment_begun.state, payment_begun.amount, payment_begun.reference) == ("Pending", 1250, "psp-1")
    assert payment_begun.instructions == {"text": "Pay at the desk.", "redirect": "/pay", "picture": ""}
    (call,) = calls
    payment = call.pop("payment")
    assert (payment.id, payment.amount, payment.currency, payment.state) == (payment_begun.id, 1250, "EUR", "Started")
    assert call == {
        "method": "desk",
        "order_number": 1,
        "email": "ada@example.org",
        "return_url": "http://127.0.0.1:8000",
        "settings": "Bonjour",
        "language": "fr",
    }


def test_the_plugin_is_asked_outside_every_transaction(instance: Instance, calls: Calls) -> None:
    def act() -> PaymentStart:
        with instance.store.write() as tx:  # would raise `Busy` if the database were held
            assert [payment.state for payment in payments_of(tx, "shop", "order")] == ["Started"]
        return PaymentStart()

    calls.act = act
    assert begin(instance).state == "Pending"


def test_the_same_key_gives_the_same_payment_and_asks_once(instance: Instance, calls: Calls) -> None:
    first = begin(instance)
    with instance.store.write() as tx:
        values = {"enterprise_id": "shop", "method": "cash:cash", "person_id": None}
        receive_payment(tx, order_id="order", amount=250, idempotency_key="cash", **values)  # type: ignore[arg-type]
    assert begin(instance) == first
    assert len(calls) == 1
    with pytest.raises(Conflict, match="idempotency key"):
        begin(instance, method="bare:bare")


def test_a_crash_while_asking_is_made_good_by_asking_again(instance: Instance, calls: Calls) -> None:
    class Crash(BaseException):
        """Stands for a killed process: nothing in the core catches it."""

    def crash() -> None:
        raise Crash

    calls.act = crash
    with pytest.raises(Crash):
        begin(instance)
    del calls.act
    assert begin(instance).state == "Pending"
    assert calls[0]["payment"] == calls[1]["payment"]


def test_money_that_is_there_at_once_is_written_down(instance: Instance, calls: Calls) -> None:
    calls.act = lambda: PaymentStart(state="Done", reference="psp-2")
    assert begin(instance).state == "Done"
    with instance.store.read() as tx:
        assert due(tx, "shop", "order").balance == 0


def test_choosing_anew_cancels_what_was_begun(instance: Instance) -> None:
    begin(instance, "first")
    begin(instance, "second")
    with instance.store.read() as tx:
        assert [payment.state for payment in payments_of(tx, "shop", "order")] == ["Cancelled", "Pending"]


def test_a_provider_that_says_no_is_quoted(instance: Instance, calls: Calls) -> None:
    def refuse() -> None:
        raise Refused("declined", "The bank says no to {amount}.", amount="12.50")

    calls.act = refuse
    failed_payment = begin(instance)
    assert (failed_payment.state, failed_payment.instructions) == ("Failed", {"text": "The bank says no to 12.50."})
    assert begin(instance) == failed_payment
    assert begin(instance, "another try").state == "Failed"


@pytest.mark.parametrize("answer", [None, "nonsense", 5])
def test_a_plugin_that_answers_nonsense_fails_and_the_order_stays(
    instance: Instance, calls: Calls, answer: Any
) -> None:
    calls.act = lambda: answer
    assert begin(instance).state == "Failed"
    with instance.store.read() as tx:
        assert due(tx, "shop", "order").balance == 1250


def test_a_plugin_that_breaks_tells_nothing_of_its_inside(instance: Instance, calls: Calls) -> None:
    def fail() -> None:
        raise ValueError("password=1234")

    calls.act = fail
    assert "1234" not in str(begin(instance).instructions)
    assert "1234" in instance.hooks.failures[-1].what


@pytest.mark.parametrize("method", ["off:off", "gone:x", "kiosk"])
def test_a_method_that_the_shop_does_not_offer_is_refused(instance: Instance, method: str) -> None:
    with pytest.raises(Refused):
        begin(instance, method=method)
    with instance.store.read() as tx:
        assert payments_of(tx, "shop", "order") == ()


def test_nothing_is_begun_where_nothing_is_due(instance: Instance) -> None:
    with instance.store.write() as tx:
        free_order = a_placed_order(tx, total=0)
        cancelled_order = a_placed_order(tx, state="Cancelled")
    with pytest.raises(Conflict, match="Nothing is due"):
        begin(instance, order_id=free_order)
    with pytest.raises(Conflict, match="was cancelled"):
        begin(instance, order_id=cancelled_order)
    with pytest.raises(NotFound):
        begin(instance, order_id="nothing")


def test_a_shop_offers_what_its_plugins_offer(instance: Instance) -> None:
    methods = payment_methods(instance, "shop", "fr")
    assert [(method.id, method.label) for method in methods] == [("kiosk:desk", "Bonjour (fr)"), ("bare:bare", "None")]


def test_settings_that_cannot_be_read_leave_only_their_plugin_out(instance: Instance) -> None:
    with instance.store.write() as tx:
        tx.execute(enterprise_plugin.update().where(enterprise_plugin.c.plugin == "kiosk").values(settings={"old": 1}))
    assert [method.id for method in payment_methods(instance, "shop", "fr")] == ["bare:bare"]
    with pytest.raises(Conflict, match="not offered for this order"):
        begin(instance)
