"""Images of products: re-encoded in another process, stored in files that are named by the hash of their content."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import delete, insert, select

from ...base.errors import Invalid, NotFound, Problem, Refused
from ...base.file_readers.lines import BEYOND, ReadingProgram
from ...base.file_readers.reading import run_apart
from ...base.texts import read_text
from ...products.tables import enterprise_picture, image
from ...storage.database import Transaction, insert_or
from . import reencode

LARGEST_IMAGE = 8 * 1024 * 1024  # bytes of an upload
_REENCODE = Path(reencode.__file__)


@dataclass(frozen=True, kw_only=True)
class Image:
    """width, height: pixels, at most 1600; bytes: size of the WebP file; alt: a description of the picture"""

    id: str
    enterprise_id: str
    width: int
    height: int
    bytes: int
    alt: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A re-encoded upload: two WebP files of at most 1600 and 400 pixels, without metadata."""

    content: bytes
    thumbnail: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def re_encode(upload: bytes) -> Picture:
    """Re-encodes a JPEG, PNG or WebP file, so that it is safe to show. May take a second: call it outside transactions.

    Raises `Refused` for other files, for more than 8 MB or 25 megapixels, and for files that take too much time or
    memory; `Busy` or `TooMany` if too many files wait. In a request, ask before the first change: see `run_apart`.
    """
    if len(upload) > LARGEST_IMAGE:
        raise Refused("image_too_large", "The image is larger than {most} MB.", most=LARGEST_IMAGE // 1024**2)
    finished = run_apart(ReadingProgram([sys.executable, "-I", str(_REENCODE)], upload, reencode.SECONDS + BEYOND))
    if finished.status != 0:
        raise _refusal(finished.status)
    head, _, files = finished.written.partition(b"\n")
    width, height, length = map(int, head.split())
    return Picture(content=files[:length], thumbnail=files[length:], width=width, height=height)


def keep_picture(folder: Path, picture: Picture) -> None:
    """Writes both files, each atomically and durably. Files of the same image are written once."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (
        (_name(picture.sha256), picture.content),
        (_name(picture.sha256, small=True), picture.thumbnail),
    ):
        if not (folder / name).exists():
            _write(folder, name, content)


def add_image(tx: Transaction, *, enterprise_id: str, picture: Picture, alt: str = "") -> Image:
    """Records an image whose files `keep_picture` has written. Raises `Invalid` for a description that is too long."""
    problems: list[Problem] = []
    alt = read_text(alt, "alt", problems, most=300)
    if problems:
        raise Invalid(problems)
    size = {"width": picture.width, "height": picture.height, "bytes": len(picture.content)}
    added = Image(id=tx.new_id(), enterprise_id=enterprise_id, alt=alt, created_at=tx.now, **size)
    tx.execute(insert(image).values({**asdict(added), "sha256": picture.sha256}))
    return added


def images_of(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> list[Image]:
    """The enterprise's images ordered by id, beginning after the id `after`."""
    columns = [image.c[name] for name in Image.__dataclass_fields__]
    query = select(*columns).where(image.c.enterprise_id == enterprise_id, image.c.id > after)
    return [Image(**row) for row in tx.all(query.order_by(image.c.id).limit(limit))]


def read_picture(tx: Transaction, folder: Path, image_id: str, *, small: bool = False) -> bytes:
    """The WebP file of an image, or its thumbnail. Images are public. Raises `NotFound`."""
    sha256 = tx.value(select(image.c.sha256).where(image.c.id == image_id))
    if sha256 is None:
        raise NotFound("no_image", "There is no such image.")
    try:
        return (folder / _name(sha256, small=small)).read_bytes()
    except FileNotFoundError:
        raise NotFound("no_image", "There is no such image.") from None


def _name(sha256: str, *, small: bool = False) -> str:
    return f"{sha256}.small.webp" if small else f"{sha256}.webp"


def _write(folder: Path, name: str, content: bytes) -> None:
    descriptor, unfinished = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).chmod(0o644)
        Path(unfinished).replace(folder / name)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name, too
    finally:
        os.close(directory)


def _refusal(code: int) -> Refused:
    if code == reencode.NOT_AN_IMAGE:
        return Refused("image_type", "Send a JPEG, PNG or WebP image.")
    if code == reencode.TOO_MANY_PIXELS:
        most = reencode.PIXELS // 10**6
        return Refused("image_pixels", "The image has more than {most} million pixels.", most=most)
    return Refused("image_broken", "The image is damaged, or too complex to read.")


# The logo and the cover of an enterprise: two of its images, which its pages show.

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
