"""Forgets pairings that came to nothing."""

from __future__ import annotations

from datetime import timedelta

from commensal import Periodic, Work

from .pairings import forget_pairings


def work() -> Work:
    return Work({}, (Periodic("federation.forget_pairings", timedelta(days=1), forget_pairings, irreversible=True),))
