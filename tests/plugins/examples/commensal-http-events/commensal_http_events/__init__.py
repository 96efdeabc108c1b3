"""HTTP events: what happens to orders is posted to an address that the hub sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commensal import Event, Instance, Order, Problem, Secret, hookimpl, http_client, url_problem


@dataclass(frozen=True)
class Settings:
    url: str = ""
    """Where events are posted. Empty: nowhere."""
    token: Secret = Secret("")
    """Sent along as the bearer token, if the service asks for one."""


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def check_settings(instance: Instance, settings: Settings) -> Sequence[Problem]:
    problem = url_problem(instance, settings.url, "/url") if settings.url else None
    return [problem] if problem else []


@hookimpl
def order_placed(instance: Instance, event: Event, order: Order, settings: Settings) -> None:
    _post(instance, event, order, settings)


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order, settings: Settings) -> None:
    _post(instance, event, order, settings)


@hookimpl
def order_cancelled(instance: Instance, event: Event, order: Order, settings: Settings) -> None:
    _post(instance, event, order, settings)


@hookimpl
def order_fulfilled(instance: Instance, event: Event, order: Order, settings: Settings) -> None:
    _post(instance, event, order, settings)


def _post(instance: Instance, event: Event, order: Order, settings: Settings) -> None:
    """Raises if the service does not answer with 2xx; then the core calls again later, with the same `event.id`."""
    if not settings.url:
        return
    headers = {"Idempotency-Key": event.id}  # so that the service can tell a repetition from a second event
    if settings.token:
        headers["Authorization"] = f"Bearer {settings.token.reveal()}"
    message = {
        "id": event.id,
        "event": event.kind,
        "at": event.at.isoformat(),
        "order": order.number,
        "total": order.total,  # in minor units, as the order is now and not as it was at the event
        "currency": order.currency,
    }
    with http_client(instance) as client:  # it reaches no inner address, whatever people type
        client.post(settings.url, json=message, headers=headers).raise_for_status()
