"""Work of this room."""

from __future__ import annotations

from commensal import Work

from . import states as states  # registers what is compared once a day
from .copies import FETCH_IMAGE
from .images import fetch_image
from .restored import TELL, tell_catalogue


def work() -> Work:
    return Work({FETCH_IMAGE: fetch_image, TELL: tell_catalogue})
