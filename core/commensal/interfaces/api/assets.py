"""Static files of plugins, at addresses that change with their contents, so that browsers need never ask again.

``/-/shop/static/@0a1b2c3d4e5f/shop.css``: the part after ``@`` stands for all files of the folder, so that those which
name each other by relative addresses change together. Without it, or with that of another version, a file is there
too, but browsers ask each time whether it has changed.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_UNCHANGING = "public, max-age=31536000, immutable"
_ASK = "public, no-cache"


@cache
def version_of(folder: Path) -> str:
    """Stands for the contents and names of all files in a plugin's folder ``static/``, as they were at the start."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            digest.update(f"{file.relative_to(folder)}\n{len(content)}\n".encode() + content)
    return f"@{digest.hexdigest()[:12]}"


def asset_url(plugin: str, folder: Path, name: str) -> str:
    """The address of a file of a plugin's; `folder` is its ``static/``."""
    return f"/-/{plugin}/static/{version_of(folder)}/{name}"


class Assets(StaticFiles):
    """Starlette's, with these addresses and what caches may do with them."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._version = version_of(directory)

    async def get_response(self, path: str, scope: Scope) -> Response:
        version, _, name = path.partition("/")
        named = version.startswith("@")
        response = await super().get_response(name if named else path, scope)
        if response.status_code in (200, 206, 304):
            response.headers["Cache-Control"] = _UNCHANGING if version == self._version else _ASK
        return response
