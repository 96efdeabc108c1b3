"""Work of this room: catalogues and pictures are read again, and due orders at platforms are sent or checked."""

from __future__ import annotations

from datetime import timedelta

from commensal import Periodic, Work

from .backorders.due import SEND, enqueue_due
from .backorders.sending import send_backorder
from .links import REFRESH
from .pictures import FETCH_PICTURE, fetch_picture
from .refreshing import refresh_due, refresh_link


def work() -> Work:
    handlers = {REFRESH: refresh_link, FETCH_PICTURE: fetch_picture, SEND: send_backorder}
    return Work(
        handlers,
        (
            Periodic("federation.links", timedelta(minutes=5), refresh_due),
            Periodic("federation.backorders", timedelta(minutes=1), enqueue_due),
        ),
    )
