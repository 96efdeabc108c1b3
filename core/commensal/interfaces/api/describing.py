"""Gives the OpenAPI document: made once, for who asks first, and then only handed out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.metadata import version

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...base.errors import TooMany
from ...base.languages.catalogs import best_language
from ...instance import Instance
from .apart import run_apart
from .endpoint import Endpoint
from .openapi import openapi
from .problems import problem
from .rates import Rates


def describing_route(instance: Instance, endpoints: list[Endpoint], rates: Rates) -> Route:
    """``GET /api/openapi.json``, with an ETag by which programs ask whether it has changed."""
    described = _once(instance, endpoints)

    async def describe(request: Request) -> Response:
        try:
            rates.count("reads", request.client.host if request.client else "")
        except TooMany as error:
            accepted = request.headers.get("accept-language", "")
            return problem(error, best_language(accepted, default=instance.settings.language))
        content, tag = await run_apart(described)  # it takes a tenth of a second, the first time
        headers = {"ETag": tag, "Cache-Control": "public, no-cache"}
        known = (one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(","))
        if tag in known:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="application/json")

    return Route("/api/openapi.json", describe)


def _once(instance: Instance, endpoints: list[Endpoint]) -> Callable[[], tuple[bytes, str]]:
    @cache
    def described() -> tuple[bytes, str]:
        settings = instance.settings
        document = openapi(endpoints, title=settings.name, base_url=settings.base_url, version=version("commensal"))
        content = msgspec.json.encode(document)
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    return described
