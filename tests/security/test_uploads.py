"""Uploaded images are read in a process with little memory, little time and no files, where they can do no harm."""

from __future__ import annotations

import io
import random
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image as Pillow

from commensal.base.errors import Refused
from commensal.parts.pictures import images, reencode
from commensal.parts.pictures.images import Picture, re_encode

PAYLOAD = b"<html><script>window.__x=1</script><?php system('id'); ?>"
KINDS = ("JPEG", "PNG", "WEBP")


def draw_image(kind: str, size: tuple[int, int] = (90, 60)) -> bytes:
    image = Pillow.effect_noise(size, 80).convert("RGB")
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def upload_result(upload: bytes) -> Picture | str:
    """Returns the picture, or the code of the refusal: an upload has no other result."""
    try:
        return re_encode(upload)
    except Refused as refusal:
        return refusal.code


# ------------------------------------------------------------------------------------------------ two things at once


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("payload_first", [False, True], ids=["payload after", "payload before"])
def test_what_is_an_image_and_something_else_becomes_an_image_only(kind: str, payload_first: bool) -> None:
    upload = PAYLOAD + draw_image(kind) if payload_first else draw_image(kind) + PAYLOAD
    assert PAYLOAD in upload
    result = upload_result(upload)
    if isinstance(result, str):
        assert result in ("image_type", "image_broken")
        return
    for content in (result.content, result.thumbnail):
        assert content[:4] == b"RIFF"
        assert content[8:12] == b"WEBP"
        assert b"script" not in content
        assert b"php" not in content


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_texts_inside_an_image_are_gone() -> None:
    image = draw_image("PNG")
    text = _chunk(b"tEXt", b"Comment\x00" + PAYLOAD) + _chunk(b"zTXt", b"x\x00\x00" + zlib.compress(PAYLOAD))
    upload = image[:33] + text + image[33:]
    result = upload_result(upload)
    assert isinstance(result, Picture)
    assert b"script" not in result.content + result.thumbnail


# ------------------------------------------------------------------------------------------------ damage


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_cut_off_or_changed_is_refused_or_an_image(kind: str) -> None:
    chance, image = random.Random(f"damage {kind}"), draw_image(kind)
    for _ in range(6):
        truncated = image[: chance.randrange(len(image))]
        place = chance.randrange(len(image) - 8)
        damaged = image[:place] + chance.randbytes(8) + image[place + 8 :]
        for upload in (truncated, damaged):
            result = upload_result(upload)
            assert isinstance(result, Picture) or result in ("image_type", "image_broken", "image_pixels")


# ------------------------------------------------------------------------------------------------ bombs


def _png(width: int, height: int, *, depth: int = 8, colour: int = 0) -> bytes:
    samples = {0: 1, 2: 3, 6: 4}[colour]
    row = b"\x00" + bytes((width * samples * depth + 7) // 8)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    compressor = zlib.compressobj(9)
    rows = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


@pytest.mark.parametrize("colour", [0, 6], ids=["grey", "with transparency"])
def test_a_bomb_is_refused_by_its_pixels_before_it_unpacks(colour: int) -> None:
    bomb = _png(13_000, 3_000, colour=colour)
    assert len(bomb) < images.LARGEST_IMAGE // 4
    started = time.monotonic()
    assert upload_result(bomb) == "image_pixels"
    assert time.monotonic() - started < reencode.SECONDS + 5


def test_pillow_itself_would_have_let_the_bomb_through() -> None:
    with Pillow.open(io.BytesIO(_png(6_000, 6_000)), formats=("PNG",)) as image:
        assert image.size == (6_000, 6_000)
    assert upload_result(_png(6_000, 6_000)) == "image_pixels"


def test_the_largest_photo_that_is_taken_fits_into_the_memory() -> None:
    result = upload_result(_png(5_000, 5_000, colour=6))
    assert isinstance(result, Picture)
    assert (result.width, result.height) == (1600, 1600)


def test_a_text_that_unpacks_to_much_is_refused_or_left_out() -> None:
    text = _chunk(b"zTXt", b"x\x00\x00" + zlib.compress(bytes(80_000_000)))
    image = draw_image("PNG")
    result = upload_result(image[:33] + text + image[33:])
    assert isinstance(result, Picture) or result == "image_broken"


# ------------------------------------------------------------------------------------------------ limits


def _limits(code: str, tmp_path: Path, *, seconds: int = reencode.SECONDS) -> subprocess.CompletedProcess[bytes]:
    """Runs `code` in place of reading an image, after the process has dropped its rights."""
    script = tmp_path / "greedy.py"
    source = Path(reencode.__file__).read_text(encoding="utf-8")
    source = source.replace(f"SECONDS = {reencode.SECONDS}\n", f"SECONDS = {seconds}\n")
    code_before, separator, _ = source.partition("    Image.MAX_IMAGE_PIXELS = PIXELS\n")
    assert separator
    script.write_text(f"{code_before}    {code}\n    return 0\n\nsys.exit(main())\n", encoding="utf-8")
    return subprocess.run([sys.executable, "-I", str(script)], input=b"", capture_output=True, check=False, timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not know this limit")
def test_a_process_that_wants_much_memory_gets_none(tmp_path: Path) -> None:
    assert _limits("bytearray(100_000_000)", tmp_path).returncode == 0
    assert b"MemoryError" in _limits(f"bytearray({reencode.MEMORY})", tmp_path).stderr


def test_a_process_that_thinks_for_ever_is_ended(tmp_path: Path) -> None:
    assert _limits("while True: pass", tmp_path, seconds=1).returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_a_process_writes_no_file(tmp_path: Path) -> None:
    place = tmp_path / "out"
    result = _limits(f"open({str(place)!r}, 'wb', buffering=0).write(b'x')", tmp_path)
    assert result.returncode != 0
    assert not place.exists() or place.read_bytes() == b""


def test_a_process_that_only_waits_is_ended_and_the_upload_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The system limits processor time, the waiting process limits waiting."""
    script = tmp_path / "waits.py"
    script.write_text("import threading\nthreading.Event().wait()\n", encoding="utf-8")
    monkeypatch.setattr(images, "_REENCODE", script)
    monkeypatch.setattr(reencode, "SECONDS", -4)
    assert upload_result(draw_image("PNG")) == "image_broken"


def test_the_process_knows_nothing_of_its_parent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It has no environment, which may hold a password, and its own working directory."""
    monkeypatch.setenv("COMMENSAL_PLANTED", "planted")
    script = tmp_path / "tells.py"
    source = "import os,sys\nsys.stdout.write(f'1 1 {len(str(dict(os.environ)))}\\n{dict(os.environ)}{os.getcwd()}')\n"
    script.write_text(source, encoding="utf-8")
    monkeypatch.setattr(images, "_REENCODE", script)
    result = upload_result(draw_image("PNG"))
    assert isinstance(result, Picture)
    assert b"planted" not in result.content
    assert result.thumbnail == b"/"
