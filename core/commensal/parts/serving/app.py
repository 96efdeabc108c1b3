"""The web application of an instance: the JSON API under /api, and the pages of plugins."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from ...api.endpoint import Endpoint
from ...api.handler import answer
from ...api.limits import FairShares, Rates
from ...api.plugin_threads import Limiters
from ...api.problems import problem
from ...api.router import RouteIndex
from ...base.errors import NotFound, PluginError
from ...base.file_readers.reading import LINES
from ...base.languages.catalogs import best_language
from ...enterprises.plugins import offered_plugins
from ...hooks import specifications
from ...instance import Instance
from ..accounts.log_in_elsewhere import identity_providers
from ..endpoints import core_endpoints
from ..endpoints.product_bodies import describe_plugin_fields
from ..monitoring.metrics import Metrics
from ..monitoring.requests import RequestLog, templates_of
from ..monitoring.routes import HEALTH, METRICS, monitoring_routes
from ..pages.added import refuse_unknown_scope, refuse_unusable_roles
from ..pages.being_read import AwaitedAnswers
from ..pages.cached_pages import CachedPages
from ..pages.cached_reads import CachedReads
from ..pages.templates import Assets, static_folders
from ..setup.named_files import source_files
from ..web.compression import Compression
from ..web.intake import Intake
from ..web.openapi import openapi, rendered_once
from ..web.origin_guard import OriginGuard
from ..web.webhooks import webhook_prefixes, webhook_routes

# What a served program owes to everybody who uses it: its source (AGPL-3.0, section 13), and where to report a
# weakness (``/.well-known/security.txt``, RFC 9116).

SOURCE, SECURITY = "/source.zip", "/.well-known/security.txt"
_HOLDS_FOR = timedelta(days=180)  # RFC 9116, 2.5.5 wants less than a year


def about_routes(instance: Instance, rates: Rates) -> list[Route]:
    """The source of what runs; and security.txt, if the settings name a contact."""
    routes = [rendered_once(SOURCE, _source, "application/zip", instance=instance, rates=rates)]
    if instance.settings.security.contact:

        async def serve_security(_: Request) -> Response:
            return PlainTextResponse(_security_text(instance), headers={"Cache-Control": "public, max-age=86400"})

        routes.append(Route(SECURITY, serve_security))
    return routes


def _source() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path, file in source_files():
            archive.write(file, f"commensal-{version('commensal')}/{path}")
    return buffer.getvalue()


def _security_text(instance: Instance) -> str:
    settings = instance.settings
    contact = settings.security.contact
    expires = (instance.clock.now() + _HOLDS_FOR).replace(microsecond=0)
    lines = [
        f"Contact: {contact if contact.startswith('https://') else f'mailto:{contact}'}",
        f"Expires: {expires.isoformat().replace('+00:00', 'Z')}",
        f"Preferred-Languages: {', '.join(dict.fromkeys((settings.language, 'en')))}",
        f"Canonical: {settings.base_url.rstrip('/')}{SECURITY}",
    ]
    return "\n".join(lines) + "\n"


def endpoints_of(instance: Instance) -> list[Endpoint]:
    """The core's endpoints and those of the enabled plugins. Raises `PluginError` for one whose types cannot be
    described: the OpenAPI document would break for everybody; and for one whose scope nobody declares."""
    endpoints = core_endpoints()
    chosen = offered_plugins(instance.hooks)
    for addition in instance.hooks.each(specifications.endpoints):
        plugin_endpoints = [
            _under(addition.plugin, endpoint, addition.plugin in chosen) for endpoint in addition.value or ()
        ]
        for endpoint in plugin_endpoints:
            refuse_unknown_scope(instance, addition.plugin, specifications.endpoints, endpoint.path, endpoint.scope)
        _refuse_undescribed(addition.plugin, plugin_endpoints)
        endpoints += plugin_endpoints
    return endpoints


def _refuse_undescribed(plugin: str, endpoints: Sequence[Endpoint]) -> None:
    if _error_of_describing(endpoints) is None:
        return
    for endpoint in endpoints:
        error = _error_of_describing([endpoint])
        if error is not None:
            reason = f"the types of {endpoint.name} cannot be described: {type(error).__name__}: {error}"
            raise PluginError(plugin, specifications.endpoints.name, reason) from error


def _error_of_describing(endpoints: Sequence[Endpoint]) -> Exception | None:
    try:
        openapi(endpoints, title="", base_url="", version="")
    except Exception as error:  # whatever their types raise
        return error
    return None


def make_app(instance: Instance) -> Starlette:
    """The ASGI application. Its only state is the rate counters and the pages that it keeps for a second."""
    endpoints = endpoints_of(instance)
    refuse_unusable_roles(instance)
    identity_providers(instance)  # one that nobody can use stops the start, and not somebody who wants to log in
    LINES.share(instance.folder)
    rates, limiters = Rates(instance.settings.limits), Limiters(instance.settings.front)

    async def answer_not_found(request: Request) -> Response:
        accept_language = request.headers.get("accept-language", "")
        return problem(NotFound(), best_language(accept_language, default=instance.settings.language))

    routes: list[BaseRoute] = [_openapi_route(instance, endpoints, rates), *about_routes(instance, rates)]
    routes += [_route(endpoint, instance, rates, limiters) for endpoint in endpoints]
    routes += _fixed(instance, routes, limiters)
    routes.append(Route("/api/{rest:path}", answer_not_found, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    metrics = Metrics(instance)
    routes += monitoring_routes(instance, rates, metrics)
    routes += webhook_routes(instance, rates)
    routes += _pages(instance, limiters)
    secure = instance.settings.base_url.startswith("https://")
    watch = Middleware(
        RequestLog,
        templates=templates_of(routes),
        metrics=metrics,
        new_id=lambda: instance.ids.new(instance.clock.now()),
        quiet=(HEALTH, METRICS),
    )
    guard = Middleware(
        OriginGuard,
        secure=secure,
        signed=webhook_prefixes(instance),
        subdomains=instance.settings.security.hsts_subdomains,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        limiters.close()

    app = Starlette(
        routes=[RouteIndex(routes)],
        middleware=[watch, guard, Middleware(Compression), Middleware(Intake), Middleware(FairShares)],
        lifespan=lifespan,
    )
    app.state.instance = instance
    app.state.rates = rates
    app.state.awaited_answers = AwaitedAnswers()
    app.state.cached_pages = CachedPages(instance.store, instance.clock)
    app.state.cached_reads = CachedReads(instance.store, instance.clock)
    return app


def _openapi_route(instance: Instance, endpoints: list[Endpoint], rates: Rates) -> Route:
    def render() -> bytes:
        settings = instance.settings
        document = openapi(endpoints, title=settings.name, base_url=settings.base_url, version=version("commensal"))
        describe_plugin_fields(document, instance.store.plugin_fields)
        return msgspec.json.encode(document)

    return rendered_once("/api/openapi.json", render, "application/json", instance=instance, rates=rates)


def _route(endpoint: Endpoint, instance: Instance, rates: Rates, limiters: Limiters) -> Route:
    limiter = limiters.of(endpoint.plugin)

    async def run(request: Request) -> Response:
        return await answer(request, endpoint, instance, rates, limiter)

    return Route(f"/api{endpoint.path}", run, methods=[endpoint.method], name=endpoint.name)


def _under(plugin: str, endpoint: Endpoint, chosen: bool) -> Endpoint:
    """The endpoint below the plugin's path. `chosen`: enterprises enable the plugin themselves."""
    where_off = endpoint.where_off or not chosen
    return replace(endpoint, path=f"/-/{plugin}{endpoint.path}", plugin=plugin, where_off=where_off)


def _fixed(instance: Instance, taken: Sequence[BaseRoute], limiters: Limiters) -> list[BaseRoute]:
    """Routes of plugins at paths that standards fix. Raises `PluginError` for a path that is taken."""
    claimed = {_path(route) for route in taken}
    routes: list[BaseRoute] = []
    for addition in instance.hooks.each(specifications.fixed_routes, instance=instance):
        plugin_routes = list(addition.value or ())
        for path in map(_path, plugin_routes):
            if path in claimed:
                raise PluginError(addition.plugin, "fixed_routes", f"{path} belongs to somebody else")
        routes += limiters.attribute_routes(instance.hooks, addition.plugin, plugin_routes)
        claimed |= {_path(route) for route in plugin_routes}
    return routes


def _path(route: BaseRoute) -> str:
    return getattr(route, "path", "")


def _pages(instance: Instance, limiters: Limiters) -> Sequence[BaseRoute]:
    """Pages and static files of plugins under /-/<id>/; pages of the front plugin at the root, last."""
    answers = instance.hooks.each(specifications.routes, instance=instance)
    plugin_routes = {
        plugin_answer.plugin: limiters.attribute_routes(instance.hooks, plugin_answer.plugin, plugin_answer.value or ())
        for plugin_answer in answers
    }
    front = plugin_routes.pop(instance.settings.front, [])
    static = [
        Mount(f"/-/{plugin}/static", Assets(folder))
        for plugin, folder in static_folders(instance.hooks.folders()).items()
        if folder.is_dir()
    ]
    return [*static, *(Mount(f"/-/{plugin}", routes=routes) for plugin, routes in plugin_routes.items()), *front]
