"""The client of Stripe's library, which is imported only when it is needed, because it is large."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .settings import InstanceSettings, Settings

if TYPE_CHECKING:
    from stripe import StripeClient


@contextmanager
def stripe_client(settings: Settings, instance_settings: InstanceSettings) -> Iterator[StripeClient]:
    """Opens a client with the shop's key. A request times out after the operator's limit, and is repeated once."""
    from stripe import RequestsClient, StripeClient

    http = RequestsClient(timeout=instance_settings.timeout)
    try:
        yield StripeClient(
            settings.secret_key.reveal(),
            base_addresses={"api": instance_settings.api_base.rstrip("/")} if instance_settings.api_base else {},
            http_client=http,
            max_network_retries=1,
        )
    finally:
        http.close()  # type: ignore[no-untyped-call]
