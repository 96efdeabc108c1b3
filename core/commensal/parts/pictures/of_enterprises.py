"""The logo and the cover of an enterprise: two of its images, which its pages show."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sqlalchemy import delete, select

from ...base.errors import Invalid, Problem
from ...products.tables import enterprise_picture, image
from ...storage.database import Transaction, insert_or
from .images import Image

PictureKind = Literal["logo", "cover"]
PICTURE_KINDS: tuple[PictureKind, ...] = get_args(PictureKind)
_picture = enterprise_picture.c


@dataclass(frozen=True, kw_only=True)
class EnterprisePictures:
    """What pages show of an enterprise, as far as it has it: a square logo, and a cover that is wider than high."""

    logo: Image | None = None
    cover: Image | None = None


def set_enterprise_picture(tx: Transaction, enterprise_id: str, kind: PictureKind, image_id: str | None) -> None:
    """Shows an image of the enterprise as its logo or cover; None: it has none any more. Raises `Invalid` for an image
    of another enterprise."""
    if image_id is None:
        tx.execute(delete(enterprise_picture).where(_picture.enterprise_id == enterprise_id, _picture.kind == kind))
        return
    if tx.first(select(image.c.id).where(image.c.id == image_id, image.c.enterprise_id == enterprise_id)) is None:
        raise Invalid([Problem("no_image", "There is no such image.", "/image_id")])
    new = insert_or(tx, enterprise_picture).values(enterprise_id=enterprise_id, kind=kind, image_id=image_id)
    tx.execute(
        new.on_conflict_do_update(index_elements=["enterprise_id", "kind"], set_={"image_id": new.excluded.image_id})
    )


def enterprise_pictures(tx: Transaction, enterprise_id: str) -> EnterprisePictures:
    """The logo and the cover of an enterprise. They are public."""
    return pictures_of_enterprises(tx, [enterprise_id])[enterprise_id]


def pictures_of_enterprises(tx: Transaction, enterprise_ids: Collection[str]) -> Mapping[str, EnterprisePictures]:
    """The logos and covers of several enterprises, by enterprise; all of `enterprise_ids` are in it."""
    columns = [image.c[name] for name in Image.__dataclass_fields__]
    query = select(_picture.kind, *columns).join(image, image.c.id == _picture.image_id)
    pictures = dict.fromkeys(enterprise_ids, EnterprisePictures())
    for row in tx.all(query.where(_picture.enterprise_id.in_(sorted(pictures)))):
        values = dict(row)
        kind = values.pop("kind")
        shown = Image(**values)
        pictures[shown.enterprise_id] = replace(pictures[shown.enterprise_id], **{kind: shown})
    return pictures
