"""Checks that the settings are enough to be paid by transfer."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import OFFERS_NOTHING, Problem, hookimpl

from .settings import Settings


@hookimpl
def check_settings(settings: Settings) -> Sequence[Problem]:
    if settings.iban:
        return []
    text = "Give the IBAN to which customers transfer: without it nobody is offered this way to pay."
    return [Problem(OFFERS_NOTHING, text, "/settings/iban")]
