"""What a shop may enter, that its keys are visible to nobody, and amounts as Stripe counts them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from commensal.base.errors import Refused, SettingsError
from commensal.base.reading import read_settings
from commensal.hooks import specifications
from commensal.parts.cli.check import report_state
from commensal.payments.methods import payment_methods
from commensal_stripe.check import check_settings
from commensal_stripe.payments import from_stripe, to_stripe
from commensal_stripe.settings import InstanceSettings, Settings

from .conftest import CHOSEN, Stall
from .provider import KEY, SIGNING, Provider


@pytest.mark.parametrize(
    ("amount", "currency", "stripe_amount"),
    [
        (1250, "EUR", 1250),
        (500, "JPY", 500),
        (500, "XPF", 500),
        (5, "ISK", 500),
        (5, "UGX", 500),
        (1230, "KWD", 1230),
        (300, "MGA", 3),
        (1250, "HUF", 1250),
    ],
)
def test_amounts_are_counted_as_stripe_counts_them(amount: int, currency: str, stripe_amount: int) -> None:
    assert to_stripe(amount, currency) == stripe_amount
    assert from_stripe(stripe_amount, currency.lower()) == amount


def test_amounts_that_stripe_cannot_take_are_refused() -> None:
    for amount, currency in ((1231, "KWD"), (350, "MGA")):
        with pytest.raises(Refused, match="cannot be paid"):
            to_stripe(amount, currency)
    assert from_stripe(550, "ISK") == 0


@pytest.mark.parametrize(
    ("bad_settings", "message"),
    [
        ({"secret_key": "pk_live_1"}, "begins with sk_"),
        ({"webhook_secret": "sk_live_1"}, "begins with whsec_"),
        ({"methods": ["Visa Card"]}, "Stripe's names"),
        ({"label": "x" * 61}, "at most 60"),
        ({"secret_key": "sk_" + "x" * 200}, "at most 200"),
    ],
)
def test_what_cannot_be_right_is_refused_without_quoting_it(bad_settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        read_settings(Settings, bad_settings)
    assert "live_1" not in str(error.value)


def test_the_operator_cannot_let_a_hook_run_out_of_time() -> None:
    for bad_settings in ({"timeout": 15.0}, {"timeout": 0}, {"api_base": "stripe.com"}):
        with pytest.raises(SettingsError):
            read_settings(InstanceSettings, bad_settings)


def test_stripe_is_asked_whether_it_knows_the_key(stripe: Provider) -> None:
    operators = InstanceSettings(api_base=stripe.url)
    assert list(check_settings(read_settings(Settings, CHOSEN), operators)) == []
    missing = [problem.where for problem in check_settings(Settings(), operators)]
    assert missing == ["/settings/secret_key", "/settings/webhook_secret"]
    (problem,) = check_settings(read_settings(Settings, {**CHOSEN, "secret_key": "sk_test_other"}), operators)
    assert (problem.code, problem.where) == ("stripe_key", "/settings/secret_key")
    stripe.silent = True
    (problem,) = check_settings(read_settings(Settings, CHOSEN), operators)
    assert problem.code == "stripe_away"


def test_nothing_is_offered_before_both_secrets_are_there(stall: Stall) -> None:
    for settings_entered, is_offered in (({}, False), ({"secret_key": KEY}, False), (CHOSEN, True)):
        answers = stall.instance.hooks.each(
            specifications.payment_methods,
            {"stripe": settings_entered},
            instance=stall.instance,
            enterprise_id="shop",
            person_id=None,
            customer_id=None,
            language="fr",
        )
        assert [mistake.label for answer in answers for mistake in answer.value or ()] == (
            ["Carte bancaire (Stripe)"] if is_offered else []
        )
    assert [payment_method.id for payment_method in payment_methods(stall.instance, "shop", "en")] == [
        "cash:cash",
        "stripe:checkout",
    ]


def test_the_keys_are_nowhere_to_be_seen(
    stall: Stall, stripe: Provider, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings = read_settings(Settings, CHOSEN)
    stripe.silent = True
    caplog.set_level("DEBUG")
    order = stall.buy()
    stall.choose(order)
    payment_intent = {"object": "payment_intent", "id": "pi_1", "metadata": {"commensal_enterprise": "shop"}}
    assert stall.say("payment_intent.succeeded", payment_intent) == 500
    stall.run_jobs(minutes=5, failing=True)
    report_state(stall.instance)
    captured = capsys.readouterr()
    assert "plugin failed" in captured.out
    visible_texts = [repr(settings), str(stall.instance.hooks.failures), captured.out, captured.err, caplog.text]
    for secret in (KEY, SIGNING):
        assert not [text for text in visible_texts if secret in text]


def test_stripes_library_is_loaded_when_somebody_pays() -> None:
    look = "import sys, commensal_stripe; sys.exit('stripe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look]).returncode == 0


def test_without_the_library_it_says_what_to_install() -> None:
    without = "import sys; sys.modules['stripe'] = None; import commensal_stripe"
    run = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True)
    assert run.stderr.rstrip().endswith("run: pip install 'commensal[stripe]'")
