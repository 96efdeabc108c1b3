"""Checks that the settings are enough to deliver."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import OFFERS_NOTHING, Problem, hookimpl

from .zones import DeliverySettings


@hookimpl
def check_settings(settings: DeliverySettings) -> Sequence[Problem]:
    if settings.zones:
        return []
    text = "Add a zone with its postcodes and its price: without one nobody is offered a delivery."
    return [Problem(OFFERS_NOTHING, text, "/settings/zones")]
