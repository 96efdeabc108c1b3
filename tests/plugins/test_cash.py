"""Cash on collection: how it is offered, and what the customer is told."""

from __future__ import annotations

from typing import Any

import pytest

import commensal_cash as cash
from commensal.base.clock import ManualClock
from commensal.base.errors import SettingsError
from commensal.hooks import specifications
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings, read_settings
from commensal.testing.drafts import a_payment

NONE: Any = None


def test_it_is_one_way_to_pay_named_in_the_readers_language() -> None:
    settings = cash.Settings(instructions="Entrée par la cour.")
    (french,) = cash.payment_methods(settings, "fr")
    (english,) = cash.payment_methods(settings, "en")
    assert (french.id, french.label) == ("cash", "En espèces à la distribution")
    assert (english.id, english.label) == ("cash", "Cash on collection")
    assert french.description == "Entrée par la cour."


def test_the_customer_is_told_how_much_to_bring(clock: ManualClock) -> None:
    hooks = load_plugins(InstanceSettings(name="Test", plugins={"enabled": ["cash"]}), clock=clock)
    start = hooks.ask(
        specifications.start_payment,
        "cash",
        {"cash": {"instructions": "Préparez l’appoint.\n"}},
        instance=NONE,
        payment=a_payment(1234),
        method="cash",
        order_number=17,
        email="",
        return_url="",
        language="fr",
    )
    assert start.state == "Pending"
    sentence = "Merci d’apporter 12,34\xa0€ à la distribution et d’indiquer votre numéro de commande\xa0: 17."
    assert start.text == f"{sentence}\nPréparez l’appoint."
    assert (start.redirect, start.reference) == ("", "")


def test_without_instructions_the_amount_is_all_that_is_said() -> None:
    start = cash.start_payment(a_payment(500), 2, cash.Settings(), "en")
    assert start.text == "Please bring €5.00 to the distribution and name your order number, 2."


def test_instructions_have_a_limit() -> None:
    assert read_settings(cash.Settings, {"instructions": "x" * 500}).instructions
    with pytest.raises(SettingsError, match="at most 500"):
        read_settings(cash.Settings, {"instructions": "x" * 501})
