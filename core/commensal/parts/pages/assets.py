"""Serves static files of the core and of plugins at URLs that change with their contents, so that browsers may cache
them for ever.

``/-/shop/static/@0a1b2c3d4e5f/shop.css``: the part after ``@`` is a hash of all files in the folder, because files may
refer to each other by relative URLs and must change together. A URL without it, or with the hash of another version,
works too, but tells browsers to revalidate the file each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_UNCHANGING = "public, max-age=31536000, immutable"
_ASK = "public, no-cache"


def static_folders(plugin_folders: Mapping[str, Path]) -> dict[str, Path]:
    """The folder ``static/`` of each plugin, whether it is there or not, and under "commensal" that of the core."""
    folders = {plugin: folder / "static" for plugin, folder in plugin_folders.items()}
    return {**folders, "commensal": Path(__file__).parent / "static"}


@cache
def version_of(folder: Path) -> str:
    """A hash of names and contents of all files in a plugin's folder ``static/``, as they were at the first call."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            digest.update(f"{file.relative_to(folder)}\n{len(content)}\n".encode() + content)
    return f"@{digest.hexdigest()[:12]}"


def asset_url(plugin: str, folder: Path, name: str) -> str:
    """The URL path of a plugin's file; `folder` is its ``static/``."""
    return f"/-/{plugin}/static/{version_of(folder)}/{name}"


class Assets(StaticFiles):
    """Starlette's static files, with versions in the URLs and the Cache-Control that follows from them."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._version = version_of(directory)

    async def get_response(self, path: str, scope: Scope) -> Response:
        version, _, name = path.partition("/")
        has_version = version.startswith("@")
        response = await super().get_response(name if has_version else path, scope)
        if response.status_code in (200, 206, 304):
            response.headers["Cache-Control"] = _UNCHANGING if version == self._version else _ASK
        return response


# The service worker of pages that open without a network; `queue.js` beside it stores what people note on them.

_FILE = Path(__file__).parent / "static" / "worker.js"


def service_worker(controls: str = "") -> Response:
    """The script of a service worker that keeps a page with its files.

    It is served below the pages that it keeps, at an address that ends with a name and ``worker.js``, and controls what
    stands beside it; with `controls`, a path, what begins with that.
    """
    headers = {"Cache-Control": "no-store"} | ({"Service-Worker-Allowed": controls} if controls else {})
    return Response(_FILE.read_bytes(), media_type="text/javascript", headers=headers)
