"""Work of this room."""

from __future__ import annotations

from datetime import timedelta

from commensal import Periodic, Work

from .links import REFRESH
from .pictures import FETCH_PICTURE, fetch_picture
from .refreshing import refresh_due, refresh_link


def work() -> Work:
    handlers = {REFRESH: refresh_link, FETCH_PICTURE: fetch_picture}
    return Work(handlers, (Periodic("federation.links", timedelta(minutes=5), refresh_due),))
