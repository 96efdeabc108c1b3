"""Stripe's own library, imported when somebody pays and not before: it is large."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .settings import InstanceSettings, Settings

if TYPE_CHECKING:
    from stripe import StripeClient


@contextmanager
def stripe_client(settings: Settings, operators: InstanceSettings) -> Iterator[StripeClient]:
    """Speaks with Stripe in the shop's name. What it says is given up after the operator's timeout, twice."""
    from stripe import RequestsClient, StripeClient

    http = RequestsClient(timeout=operators.timeout)
    try:
        yield StripeClient(
            settings.secret_key.reveal(),
            base_addresses={"api": operators.api_base.rstrip("/")} if operators.api_base else {},
            http_client=http,
            max_network_retries=1,
        )
    finally:
        http.close()  # type: ignore[no-untyped-call]
