"""Work of this room."""

from __future__ import annotations

from datetime import timedelta

from commensal import Periodic, Work

from .links import REFRESH
from .refreshing import refresh_due, refresh_link


def work() -> Work:
    return Work({REFRESH: refresh_link}, (Periodic("federation.links", timedelta(minutes=5), refresh_due),))
