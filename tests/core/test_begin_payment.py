"""Beginning a payment: the plugin is asked outside every transaction, and whatever it does, the order stays."""

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
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.hooks.values import PaymentMethod, PaymentStart
from commensal.instance import Instance, InstanceSettings
from commensal.storage.database import Store
from commensal.testing.placed import a_placed_order, a_shop
from commensal.trade.enterprises.tables import enterprise_plugin
from commensal.trade.payments.begin import start_payment
from commensal.trade.payments.due import due
from commensal.trade.payments.methods import payment_methods
from commensal.trade.payments.payments import payments_of, receive_payment
from commensal.trade.payments.values import Payment


@dataclass(frozen=True)
class Till:
    """What the shop may set for the plugin."""

    greeting: str = "Hello"


class Asked(list[dict[str, Any]]):
    """What the plugin was asked, and what it does about it."""

    act: Callable[[], Any] = staticmethod(
        lambda: PaymentStart(text="Pay at the desk.", redirect="/pay", reference="psp-1")
    )


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def instance(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path, asked: Asked) -> Instance:
    """A shop that has switched on `till` and `bare`, not `off`; one order of 12.50."""

    def ask(
        payment: Payment, method: str, order_number: int, email: str, return_url: str, settings: Till, language: str
    ) -> Any:
        asked.append(dict(locals()) | {"settings": settings.greeting})
        del asked[-1]["asked"]
        return asked.act()

    def offer(settings: Till, language: str) -> list[Any]:
        return [
            PaymentMethod(id="desk", label=f"{settings.greeting} ({language})"),
            PaymentMethod(id="=x", label=""),
        ]

    till, bare, off = ModuleType("till"), ModuleType("bare"), ModuleType("off")
    till.start_payment, till.payment_methods = hookimpl(ask), hookimpl(offer)  # type: ignore[attr-defined]
    till.enterprise_settings = hookimpl(lambda: Till)  # type: ignore[attr-defined]
    bare.payment_methods = hookimpl(lambda settings: [PaymentMethod(id="bare", label=repr(settings))])  # type: ignore[attr-defined]
    off.payment_methods = hookimpl(lambda: [PaymentMethod(id="off", label="Off")])  # type: ignore[attr-defined]
    settings = InstanceSettings(name="Test", plugins={"enabled": ["till", "off", "bare"]})
    hooks = load_plugins(settings, clock=clock, modules={"till": till, "bare": bare, "off": off})
    with store.write() as tx:
        a_shop(tx)
        a_placed_order(tx, total=1250, id="order")
        for plugin, values in (("till", {"greeting": "Bonjour"}), ("bare", {})):
            tx.execute(
                insert(enterprise_plugin).values(enterprise_id="shop", plugin=plugin, settings=values, version=1)
            )
    return Instance(tmp_path, settings, store, hooks, clock, ids)


def begin(instance: Instance, key: str = "key", method: str = "till:desk", order_id: str = "order") -> Any:
    return start_payment(instance, order_id, method, key, "fr")


def test_the_plugin_is_told_what_is_due_and_the_payer_what_to_do(instance: Instance, asked: Asked) -> None:
    begun = begin(instance)
    assert (begun.state, begun.amount, begun.reference) == ("Pending", 1250, "psp-1")
    assert begun.instructions == {"text": "Pay at the desk.", "redirect": "/pay", "picture": ""}
    (told,) = asked
    payment = told.pop("payment")
    assert (payment.id, payment.amount, payment.currency, payment.state) == (begun.id, 1250, "EUR", "Started")
    assert told == {
        "method": "desk", "order_number": 1, "email": "ada@example.org", "return_url": "http://127.0.0.1:8000",
        "settings": "Bonjour", "language": "fr",
    }  # fmt: skip


def test_the_plugin_is_asked_outside_every_transaction(instance: Instance, asked: Asked) -> None:
    def act() -> PaymentStart:
        with instance.store.write() as tx:  # would end in `Busy`, were the database held
            assert [payment.state for payment in payments_of(tx, "shop", "order")] == ["Started"]
        return PaymentStart()

    asked.act = act
    assert begin(instance).state == "Pending"


def test_the_same_key_gives_the_same_payment_and_asks_once(instance: Instance, asked: Asked) -> None:
    first = begin(instance)
    with instance.store.write() as tx:
        given = {"enterprise_id": "shop", "method": "cash:cash", "person_id": None}
        receive_payment(tx, order_id="order", amount=250, idempotency_key="cash", **given)  # type: ignore[arg-type]
    assert begin(instance) == first
    assert len(asked) == 1
    with pytest.raises(Conflict, match="idempotency key"):
        begin(instance, method="bare:bare")


def test_a_crash_while_asking_is_made_good_by_asking_again(instance: Instance, asked: Asked) -> None:
    class Crash(BaseException):
        """Nothing of the core catches it, as nothing runs any more in a process that was killed."""

    def crash() -> None:
        raise Crash

    asked.act = crash
    with pytest.raises(Crash):
        begin(instance)
    del asked.act
    assert begin(instance).state == "Pending"
    assert asked[0]["payment"] == asked[1]["payment"]


def test_money_that_is_there_at_once_is_written_down(instance: Instance, asked: Asked) -> None:
    asked.act = lambda: PaymentStart(state="Done", reference="psp-2")
    assert begin(instance).state == "Done"
    with instance.store.read() as tx:
        assert due(tx, "shop", "order").balance == 0


def test_choosing_anew_cancels_what_was_begun(instance: Instance) -> None:
    begin(instance, "first")
    begin(instance, "second")
    with instance.store.read() as tx:
        assert [payment.state for payment in payments_of(tx, "shop", "order")] == ["Cancelled", "Pending"]


def test_a_provider_that_says_no_is_quoted(instance: Instance, asked: Asked) -> None:
    def refuse() -> None:
        raise Refused("declined", "The bank says no to {amount}.", amount="12.50")

    asked.act = refuse
    failed = begin(instance)
    assert (failed.state, failed.instructions) == ("Failed", {"text": "The bank says no to 12.50."})
    assert begin(instance) == failed
    assert begin(instance, "another try").state == "Failed"


@pytest.mark.parametrize("answer", [None, "nonsense", 5])
def test_a_plugin_that_answers_nonsense_fails_and_the_order_stays(
    instance: Instance, asked: Asked, answer: Any
) -> None:
    asked.act = lambda: answer
    assert begin(instance).state == "Failed"
    with instance.store.read() as tx:
        assert due(tx, "shop", "order").balance == 1250


def test_a_plugin_that_breaks_tells_nothing_of_its_inside(instance: Instance, asked: Asked) -> None:
    def burst() -> None:
        raise ValueError("password=1234")

    asked.act = burst
    assert "1234" not in str(begin(instance).instructions)
    assert "1234" in instance.hooks.failures[-1].what


@pytest.mark.parametrize("method", ["off:off", "gone:x", "till"])
def test_a_method_that_the_shop_does_not_offer_is_refused(instance: Instance, method: str) -> None:
    with pytest.raises(Refused):
        begin(instance, method=method)
    with instance.store.read() as tx:
        assert payments_of(tx, "shop", "order") == ()


def test_nothing_is_begun_where_nothing_is_due(instance: Instance) -> None:
    with instance.store.write() as tx:
        free = a_placed_order(tx, total=0)
        cancelled = a_placed_order(tx, state="Cancelled")
    with pytest.raises(Conflict, match="Nothing is due"):
        begin(instance, order_id=free)
    with pytest.raises(Conflict, match="was cancelled"):
        begin(instance, order_id=cancelled)
    with pytest.raises(NotFound):
        begin(instance, order_id="nothing")


def test_a_shop_offers_what_its_plugins_offer(instance: Instance) -> None:
    offered = payment_methods(instance, "shop", "fr")
    assert [(one.id, one.label) for one in offered] == [("till:desk", "Bonjour (fr)"), ("bare:bare", "None")]


def test_settings_that_cannot_be_read_leave_only_their_plugin_out(instance: Instance) -> None:
    with instance.store.write() as tx:
        tx.execute(enterprise_plugin.update().where(enterprise_plugin.c.plugin == "till").values(settings={"old": 1}))
    assert [method.id for method in payment_methods(instance, "shop", "fr")] == ["bare:bare"]
    with pytest.raises(Conflict, match="not offered for this order"):
        begin(instance)
