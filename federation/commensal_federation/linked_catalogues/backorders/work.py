"""Work of this room: each minute, what is due is told or looked at."""

from __future__ import annotations

from datetime import timedelta

from commensal import Periodic, Work

from .due import TELL, tell_due
from .telling import tell_backorder


def work() -> Work:
    return Work({TELL: tell_backorder}, (Periodic("federation.backorders", timedelta(minutes=1), tell_due),))
