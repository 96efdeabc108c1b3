"""Uploaded images: re-encoded in a process of its own, and nothing but pixels is kept."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from commensal.base.errors import Invalid, NotFound, Refused
from commensal.parts.pictures.images import (
    LARGEST_IMAGE,
    EnterprisePictures,
    Picture,
    add_image,
    images_of,
    keep_picture,
    pictures_of_enterprises,
    re_encode,
    read_picture,
    set_enterprise_picture,
)
from commensal.storage.database import Store
from commensal.testing.placed import a_shop


def draw_image(kind: str, size: tuple[int, int] = (60, 40), *, mode: str = "RGB", **kwargs: Any) -> bytes:
    """Returns an encoded image, its left half red, its right half blue."""
    image = Pillow.new(mode, size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    image.save(file, kind, **kwargs)
    return file.getvalue()


def decode(content: bytes) -> Pillow.Image:
    image = Pillow.open(io.BytesIO(content))
    image.load()
    return image


def is_red(image: Pillow.Image, place: tuple[int, int]) -> bool:
    red, _, blue = image.convert("RGB").getpixel(place)  # type: ignore[misc]
    return bool(red > 200 and blue < 60)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_of_any_allowed_kind_becomes_webp_with_a_thumbnail(kind: str) -> None:
    picture = re_encode(draw_image(kind, (2000, 1000)))
    large, small = decode(picture.content), decode(picture.thumbnail)
    assert (large.format, large.size, small.format, small.size) == ("WEBP", (1600, 800), "WEBP", (400, 200))
    assert (picture.width, picture.height) == (1600, 800)
    assert is_red(large, (10, 400))
    assert not is_red(large, (1590, 400))


def test_a_small_image_keeps_its_size_and_its_transparency() -> None:
    picture = re_encode(draw_image("PNG", (30, 20), mode="RGBA"))
    assert (picture.width, picture.height) == (30, 20)
    palette = io.BytesIO()
    Pillow.new("P", (30, 20), 0).save(palette, "PNG", transparency=0)
    assert decode(re_encode(palette.getvalue()).content).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_printers_colours_are_shown_too(mode: str) -> None:
    file = io.BytesIO()
    Pillow.new(mode, (30, 20)).save(file, "JPEG")
    assert re_encode(file.getvalue()).width == 30


def test_the_place_and_time_of_a_photo_are_gone_and_it_stands_upright() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # orientation: turn right by a quarter
    exif[0x0110] = "Camera of Ada"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 13.0, 30.0), 3: "W", 4: (1.0, 33.0, 0.0)})
    icc = b"profile of Ada" * 20
    upload = draw_image("JPEG", exif=exif, icc_profile=icc, comment=b"by Ada", quality=95)
    assert b"Camera of Ada" in upload
    picture = re_encode(upload)
    for content in (picture.content, picture.thumbnail):
        image = decode(content)
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {"loop", "background", "timestamp", "duration"}
        assert b"Ada" not in content
        assert image.size == (40, 60)
        assert is_red(image, (20, 5))
        assert not is_red(image, (20, 55))


@pytest.mark.parametrize(
    "upload",
    [
        b"",
        b"not an image",
        draw_image("GIF"),
        draw_image("TIFF"),
        draw_image("BMP"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=["nothing", "text", "gif", "tiff", "bmp", "eps", "svg"],
)
def test_what_is_no_jpeg_png_or_webp_is_refused(upload: bytes) -> None:
    with pytest.raises(Refused) as error:
        re_encode(upload)
    assert error.value.code == "image_type"


def _png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("width", [5001, 13_000])
def test_a_small_file_that_would_unpack_to_a_huge_image_is_refused(width: int) -> None:
    bomb = _png(width, 5000, zlib.compress(bytes(100_000)))  # up to twice its limit, Pillow itself only warns
    with pytest.raises(Refused) as error:
        re_encode(bomb)
    assert error.value.code == "image_pixels"


@pytest.mark.parametrize(
    "upload", [draw_image("JPEG")[:300], draw_image("PNG")[:60], _png(100, 100, b"x"), draw_image("WEBP")[:60]]
)
def test_a_damaged_image_is_refused(upload: bytes) -> None:
    with pytest.raises(Refused) as error:
        re_encode(upload)
    assert error.value.code in ("image_broken", "image_type")


def test_an_upload_is_measured_before_it_is_read() -> None:
    with pytest.raises(Refused) as error:
        re_encode(bytes(LARGEST_IMAGE + 1))
    assert error.value.code == "image_too_large"


@pytest.fixture
def picture() -> Picture:
    return Picture(content=b"large", thumbnail=b"small", width=3, height=2)


def test_files_are_whole_named_after_their_content_and_kept_once(tmp_path: Path, picture: Picture) -> None:
    folder = tmp_path / "images"
    keep_picture(folder, picture)
    names = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert names == {f"{picture.sha256}.webp": b"large", f"{picture.sha256}.small.webp": b"small"}
    times = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    keep_picture(folder, picture)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == times


def test_an_image_is_noted_and_read_again(store: Store, hamlet: Any, tmp_path: Path, picture: Picture) -> None:
    hamlet.enterprise("farm")
    keep_picture(tmp_path, picture)
    with store.write() as tx:
        first = add_image(tx, enterprise_id="farm", picture=picture, alt=" Des pommes ")
        other = add_image(tx, enterprise_id="farm", picture=picture)
        with pytest.raises(Invalid):
            add_image(tx, enterprise_id="farm", picture=picture, alt="x" * 301)
    assert (first.alt, first.width, first.height, first.bytes) == ("Des pommes", 3, 2, 5)
    with store.read() as tx:
        assert images_of(tx, "farm") == sorted([first, other], key=lambda image: image.id)
        assert images_of(tx, "other") == []
        assert read_picture(tx, tmp_path, first.id) == b"large"
        assert read_picture(tx, tmp_path, other.id, small=True) == b"small"
        with pytest.raises(NotFound):
            read_picture(tx, tmp_path, "unknown")
        with pytest.raises(NotFound):
            read_picture(tx, tmp_path / "elsewhere", first.id)


def test_an_enterprise_shows_images_of_its_own_as_logo_and_cover(store: Store) -> None:
    picture = Picture(content=b"large", thumbnail=b"small", width=8, height=8)
    with store.write() as tx:
        farm, other = a_shop(tx, "farm"), a_shop(tx, "other")
        first, second = (add_image(tx, enterprise_id=farm, picture=picture, alt=alt) for alt in ("goat", "hay"))
        set_enterprise_picture(tx, farm, "logo", first.id)
        set_enterprise_picture(tx, farm, "logo", second.id)
        with pytest.raises(Invalid):
            set_enterprise_picture(tx, other, "cover", first.id)
        set_enterprise_picture(tx, farm, "cover", None)
    with store.read() as tx:
        pictures = pictures_of_enterprises(tx, [farm, other])
    assert pictures == {farm: EnterprisePictures(logo=second), other: EnterprisePictures()}
