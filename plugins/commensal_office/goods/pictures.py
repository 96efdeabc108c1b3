"""Pictures: of products, and the logo and the cover of the enterprise, from a file or the camera of a telephone."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from commensal import Invalid, NotFound, Problem, Refused, Transaction
from commensal.pages import Visit, on_refusal
from commensal.parts.pictures import (
    PICTURE_KINDS,
    Picture,
    PictureKind,
    add_image,
    enterprise_pictures,
    keep_picture,
    re_encode,
    set_enterprise_picture,
)
from commensal.products import set_product_image

from ..frame.desk import open_desk
from ..frame.render import show
from .product import open_product


def picture_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk, product = open_product(tx, visit)
    return show(
        visit,
        desk,
        "picture",
        at="products",
        product=product,
        alt=visit.form.get("alt", ""),
        camera="camera" in visit.query,
        saved=visit.query.get("saved", ""),
    )


@on_refusal(picture_page, {"file", "alt"})
def post_picture(visit: Visit) -> Response:
    """Shows the uploaded picture with the product in all its sizes, or takes its picture away."""
    with visit.read() as tx:
        desk, product = open_product(tx, visit)  # before the work of reading the picture
    image = None if visit.query.get("then") == "remove" else _Upload.of(visit)
    with visit.write() as tx:
        desk, product = open_product(tx, visit)
        image_id = image.add(tx, product.enterprise_id) if image else None
        set_product_image(tx, product.enterprise_id, product.id, image_id)
    return visit.redirect(f"{desk.address}/products/{product.id}/picture?saved={'yes' if image else 'removed'}")


@dataclass(frozen=True)
class _Upload:
    """An uploaded picture whose files are written, and what it shows, in words."""

    picture: Picture
    alt: str

    @classmethod
    def of(cls, visit: Visit) -> _Upload:
        """Re-encodes the form's file, outside of transactions. Raises `Refused` with a mistake at the field."""
        if not visit.body:
            raise Invalid([Problem("no_file", "Choose a picture.", "/file")])
        try:
            picture = re_encode(visit.body)
        except Invalid:
            raise
        except Refused as error:
            raise Invalid([Problem(error.code, error.text, "/file", error.values)]) from error
        keep_picture(visit.instance.images, picture)
        return cls(picture, visit.form.get("alt", ""))

    def add(self, tx: Transaction, enterprise_id: str) -> str:
        return add_image(tx, enterprise_id=enterprise_id, picture=self.picture, alt=self.alt).id


# ------------------------------------------------------------------------------------------------ logo and cover


def pictures_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        pictures = enterprise_pictures(tx, desk.enterprise.id)
    return show(
        visit,
        desk,
        "pictures",
        at="settings",
        pictures=pictures,
        wrong=visit.query.get("kind", ""),
        alt=visit.form.get("alt", ""),
        saved=visit.query.get("saved", ""),
    )


@on_refusal(pictures_page, {"file", "alt"})
def post_pictures(visit: Visit) -> Response:
    """Shows the uploaded picture as the logo or the cover, or takes it away."""
    with visit.read() as tx:
        open_desk(tx, visit, "enterprise:write")  # before the work of reading the picture
    kind = _read_kind(visit)
    image = None if visit.query.get("then") == "remove" else _Upload.of(visit)
    with visit.write() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        image_id = image.add(tx, desk.enterprise.id) if image else None
        set_enterprise_picture(tx, desk.enterprise.id, kind, image_id)
    return visit.redirect(f"{desk.address}/settings/pictures?saved={'yes' if image else 'removed'}")


def _read_kind(visit: Visit) -> PictureKind:
    kind = next((name for name in PICTURE_KINDS if name == visit.query.get("kind")), None)
    if kind is None:
        raise NotFound
    return kind
