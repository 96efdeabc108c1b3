"""Re-encodes one image, as a process of its own with limits on memory and time. Run by path, not imported.

Reads an image from standard input; writes a line with width, height and the first image's length in bytes, then that
image and a thumbnail, both WebP. Metadata (place, time, author, camera) is not written. Exits with one of the codes
below if the input is not an image that may be shown.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MEMORY = 512 * 1024 * 1024  # bytes
SECONDS = 5
NICENESS = 10  # it stands back behind the processes that answer people, and has a tenth of a busy processor
PIXELS = 25_000_000
LARGE, SMALL = 1600, 400  # pixels of the longer side
NOT_AN_IMAGE, TOO_MANY_PIXELS, BROKEN = 3, 4, 5


def main() -> int:
    from PIL import Image, UnidentifiedImageError  # here, since the server imports this module for its constants

    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # macOS does not know this limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    Image.MAX_IMAGE_PIXELS = PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=("JPEG", "PNG", "WEBP")) as image:
            large, small = _encode(image)
    except UnidentifiedImageError:
        return NOT_AN_IMAGE
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return TOO_MANY_PIXELS
    except (OSError, ValueError, SyntaxError, MemoryError):  # what Pillow raises for damaged files
        return BROKEN
    with Image.open(io.BytesIO(large)) as encoded:
        sys.stdout.buffer.write(b"%d %d %d\n" % (*encoded.size, len(large)))
    sys.stdout.buffer.write(large + small)
    return 0


def _encode(image: Image.Image) -> tuple[bytes, bytes]:
    from PIL import ImageOps

    if image.mode not in ("RGB", "RGBA", "L"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((LARGE, LARGE))
    image = ImageOps.exif_transpose(image)
    large = _webp(image)
    image.thumbnail((SMALL, SMALL))
    return large, _webp(image)


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=82)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
