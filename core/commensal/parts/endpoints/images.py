"""Images of products and enterprises over the API: uploaded, re-encoded, and then public."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, File, Page, Paging, Routes, page_of
from ...base.errors import NotFound
from ...enterprises.enterprises import find_enterprise
from ..pictures.images import (
    PICTURE_KINDS,
    EnterprisePictures,
    Image,
    Picture,
    add_image,
    enterprise_pictures,
    images_of,
    keep_picture,
    re_encode,
    read_picture,
    set_enterprise_picture,
)

routes = Routes("images")


class ImageQuery(Body, frozen=True, kw_only=True):
    """`alt`: what the image shows, for those who do not see it."""

    alt: Annotated[str, msgspec.Meta(max_length=300)] = ""


class ShownImage(Body, frozen=True, kw_only=True):
    """The id of an image of the enterprise, or null for none."""

    image_id: Annotated[str, msgspec.Meta(max_length=100)] | None


def _keep_re_encoded(call: Call, enterprise: str, body: bytes, query: ImageQuery) -> Picture:
    picture = re_encode(body)
    keep_picture(call.instance.images, picture)
    return picture


@routes.post(
    "/enterprises/{enterprise}/images", scope="products:write", status=201, takes="image/*", prepare=_keep_re_encoded
)
def upload_image(call: Call, enterprise: str, body: bytes, query: ImageQuery) -> Image:
    """Takes a JPEG, PNG or WebP image of up to 8 MB and 25 megapixels. Where and when it was taken is not kept."""
    return add_image(call.tx, enterprise_id=enterprise, picture=call.prepared, alt=query.alt)


@routes.get("/enterprises/{enterprise}/images", scope="products:read")
def enterprise_images(call: Call, enterprise: str, query: Paging) -> Page[Image]:
    """The enterprise's images."""
    images = images_of(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(images, query.limit, lambda image: image.id)


@routes.get("/images/{image}", scope="public")
def image_file(call: Call, image: str) -> File:
    """The image as WebP, of at most 1600 pixels."""
    return File(read_picture(call.tx, call.instance.images, image), "image/webp", unchanging=True)


@routes.get("/images/{image}/thumbnail", scope="public")
def image_thumbnail(call: Call, image: str) -> File:
    """The image as WebP, of at most 400 pixels."""
    return File(read_picture(call.tx, call.instance.images, image, small=True), "image/webp", unchanging=True)


@routes.get("/directory/{slug}/pictures", scope="public")
def pictures_of_enterprise(call: Call, slug: str) -> EnterprisePictures:
    """The logo and the cover of an enterprise."""
    shown = find_enterprise(call.tx, slug, person_id=call.actor.person_id)
    return enterprise_pictures(call.tx, shown.id)


@routes.put("/enterprises/{enterprise}/pictures/{picture}", scope="enterprise:write")
def show_picture(call: Call, enterprise: str, picture: str, body: ShownImage) -> EnterprisePictures:
    """Shows an image of my enterprise as its logo or its cover, or takes that away."""
    known = next((name for name in PICTURE_KINDS if name == picture), None)
    if known is None:
        raise NotFound("no_picture", "An enterprise has a logo and a cover.")
    set_enterprise_picture(call.tx, enterprise, known, body.image_id)
    return enterprise_pictures(call.tx, enterprise)
