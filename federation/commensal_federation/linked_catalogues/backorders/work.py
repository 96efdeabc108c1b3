"""Background work of orders at platforms: due ones are sent or checked each minute."""

from __future__ import annotations

from datetime import timedelta

from commensal import Periodic, Work

from .due import SEND, enqueue_due
from .sending import send_backorder


def work() -> Work:
    return Work({SEND: send_backorder}, (Periodic("federation.backorders", timedelta(minutes=1), enqueue_due),))
