"""The service worker of pages that open without a network; `queue.js` beside it stores what people note on them."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response

_FILE = Path(__file__).parent / "static" / "worker.js"


def service_worker(controls: str = "") -> Response:
    """The script of a service worker that keeps a page with its files.

    It is served below the pages that it keeps, at an address that ends with a name and ``worker.js``, and controls what
    stands beside it; with `controls`, a path, what begins with that.
    """
    headers = {"Cache-Control": "no-store"} | ({"Service-Worker-Allowed": controls} if controls else {})
    return Response(_FILE.read_bytes(), media_type="text/javascript", headers=headers)
