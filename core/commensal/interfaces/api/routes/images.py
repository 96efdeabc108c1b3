"""Images of products over the API: uploaded, re-encoded, and then public."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ....trade.products.images import Image, Picture, add_image, images_of, keep_picture, re_encode, read_picture
from ..endpoint import Body, Call, File, Page, Paging, Routes, page_of

routes = Routes("images")


class ImageQuery(Body, frozen=True, kw_only=True):
    """`alt`: what the image shows, for those who do not see it."""

    alt: Annotated[str, msgspec.Meta(max_length=300)] = ""


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
