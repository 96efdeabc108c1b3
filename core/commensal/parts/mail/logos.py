"""The logo of a shop for its e-mails: a small PNG, since not every program that shows e-mails knows WebP."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

from PIL import Image as PillowImage

from ...base.errors import NotFound
from ...storage.database import Transaction
from ..pictures.images import read_picture
from ..pictures.of_enterprises import enterprise_pictures

SIDE = 96  # pixels, shown at half that size


def logo_of(tx: Transaction, images: Path, enterprise_id: str) -> bytes:
    """The logo of the enterprise as a PNG of at most `SIDE` pixels; empty if it has none, or its file is gone."""
    logo = enterprise_pictures(tx, enterprise_id).logo
    if logo is None:
        return b""
    try:
        return _as_png(read_picture(tx, images, logo.id, small=True))
    except NotFound:
        return b""


@lru_cache(maxsize=64)
def _as_png(thumbnail: bytes) -> bytes:
    """Converts a thumbnail, which the instance has encoded itself."""
    with PillowImage.open(io.BytesIO(thumbnail), formats=("WEBP",)) as image:
        image.thumbnail((SIDE, SIDE))
        out = io.BytesIO()
        image.save(out, "PNG", optimize=True)
    return out.getvalue()
