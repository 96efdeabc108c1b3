"""Serves the OpenAPI document, which is rendered at the first request and kept."""

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
from .endpoint import Endpoint
from .openapi import openapi
from .plugin_threads import run_in_thread
from .problems import problem
from .product_bodies import describe_plugin_fields
from .rates import Rates


def openapi_route(instance: Instance, endpoints: list[Endpoint], rates: Rates) -> Route:
    """``GET /api/openapi.json``, with an ETag for conditional requests."""
    render = _render_once(instance, endpoints)

    async def describe(request: Request) -> Response:
        try:
            rates.count("reads", request.client.host if request.client else "")
        except TooMany as error:
            accept_language = request.headers.get("accept-language", "")
            return problem(error, best_language(accept_language, default=instance.settings.language))
        content, tag = await run_in_thread(render)  # takes 0.1 s the first time
        headers = {"ETag": tag, "Cache-Control": "public, no-cache"}
        known_tags = (text.strip().removeprefix("W/") for text in request.headers.get("if-none-match", "").split(","))
        if tag in known_tags:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="application/json")

    return Route("/api/openapi.json", describe)


def _render_once(instance: Instance, endpoints: list[Endpoint]) -> Callable[[], tuple[bytes, str]]:
    @cache
    def render() -> tuple[bytes, str]:
        settings = instance.settings
        document = openapi(endpoints, title=settings.name, base_url=settings.base_url, version=version("commensal"))
        describe_plugin_fields(document, instance.store.plugin_fields)
        content = msgspec.json.encode(document)
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    return render
