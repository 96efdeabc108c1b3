"""Checks that a shop has entered both keys, and that Stripe accepts the first."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import OFFERS_NOTHING, Problem, hookimpl

from .client import stripe_client
from .settings import InstanceSettings, Settings


@hookimpl
def check_settings(settings: Settings, instance_settings: InstanceSettings) -> Sequence[Problem]:
    from stripe import APIConnectionError, AuthenticationError, PermissionError

    missing = [name for name in ("secret_key", "webhook_secret") if not getattr(settings, name).reveal()]
    if missing:
        text = "This key is missing: without it nobody is offered this way to pay."
        return [Problem(OFFERS_NOTHING, text, f"/settings/{name}") for name in missing]
    try:
        with stripe_client(settings, instance_settings) as client:
            client.v1.balance.retrieve()
    except AuthenticationError:
        return [Problem("stripe_key", "Stripe does not know this key.", "/settings/secret_key")]
    except PermissionError:
        return []  # a restricted key that may not read the balance: Stripe knows it
    except APIConnectionError:
        return [Problem("stripe_away", "Stripe does not answer at the moment; please try again.", "/settings")]
    return []
