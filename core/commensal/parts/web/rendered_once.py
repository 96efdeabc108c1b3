"""Serves what is the same for everybody as long as the process runs: rendered at the first request, and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...api.plugin_threads import run_in_thread
from ...api.problems import problem
from ...api.rates import Rates
from ...base.errors import TooMany
from ...base.languages.catalogs import best_language
from ...instance import Instance


def rendered_once(
    path: str, render: Callable[[], bytes], media_type: str, *, instance: Instance, rates: Rates
) -> Route:
    """A ``GET`` route for these bytes, with an ETag for conditional requests. Requests count as reads."""

    @cache
    def document() -> tuple[bytes, str]:
        content = render()
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    async def serve(request: Request) -> Response:
        try:
            rates.count("reads", request.client.host if request.client else "")
        except TooMany as error:
            accept_language = request.headers.get("accept-language", "")
            return problem(error, best_language(accept_language, default=instance.settings.language))
        content, tag = await run_in_thread(document)  # takes 0.1 s the first time
        headers = {"ETag": tag, "Cache-Control": "public, no-cache"}
        known_tags = (text.strip().removeprefix("W/") for text in request.headers.get("if-none-match", "").split(","))
        if tag in known_tags:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    return Route(path, serve)
