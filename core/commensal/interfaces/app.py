"""The web application of an instance: the JSON API under /api, and the pages of plugins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from ..base.errors import NotFound, PluginError
from ..base.languages.catalogs import best_language
from ..hooks import specifications
from ..instance import Instance
from ..trade.enterprises.plugins import offered_plugins
from .api.apart import Limiters
from .api.assets import Assets
from .api.compression import Compression
from .api.csrf import Guard
from .api.describing import describing_route
from .api.endpoint import Endpoint
from .api.handler import answer
from .api.intake import Intake
from .api.openapi import openapi
from .api.problems import problem
from .api.rates import Rates
from .api.router import Finding
from .api.routes import core_endpoints
from .api.webhooks import webhook_prefixes, webhook_routes
from .monitoring.figures import Figures
from .monitoring.requests import Requests, templates_of
from .monitoring.routes import HEALTH, METRICS, watching_routes


def endpoints_of(instance: Instance) -> list[Endpoint]:
    """The core's endpoints and those of the enabled plugins. Raises `PluginError` for one whose types cannot be
    described: the OpenAPI document would break for everybody."""
    found = core_endpoints()
    chosen = offered_plugins(instance.hooks)
    for added in instance.hooks.each(specifications.endpoints):
        theirs = [_under(added.plugin, one, added.plugin in chosen) for one in added.value or ()]
        _refuse_undescribed(added.plugin, theirs)
        found += theirs
    return found


def _refuse_undescribed(plugin: str, endpoints: Sequence[Endpoint]) -> None:
    for one in endpoints:
        try:
            openapi([one], title="", base_url="", version="")
        except Exception as error:  # whatever their types raise
            what = f"the types of {one.name} cannot be described: {type(error).__name__}: {error}"
            raise PluginError(plugin, specifications.endpoints.name, what) from error


def make_app(instance: Instance) -> Starlette:
    """The ASGI application. It holds no state of its own but rate counters."""
    endpoints = endpoints_of(instance)
    rates, limiters = Rates(instance.settings.limits), Limiters(instance.settings.front)

    async def nothing(request: Request) -> Response:
        accepted = request.headers.get("accept-language", "")
        return problem(NotFound(), best_language(accepted, default=instance.settings.language))

    routes: list[BaseRoute] = [describing_route(instance, endpoints, rates)]
    routes += [_route(one, instance, rates, limiters) for one in endpoints]
    routes += _fixed(instance, routes, limiters)
    routes.append(Route("/api/{rest:path}", nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    figures = Figures(instance)
    routes += watching_routes(instance, rates, figures)
    routes += webhook_routes(instance, rates)
    routes += _pages(instance, limiters)
    secure = instance.settings.base_url.startswith("https://")
    watch = Middleware(
        Requests,
        templates=templates_of(routes),
        figures=figures,
        new_id=lambda: instance.ids.new(instance.clock.now()),
        quiet=(HEALTH, METRICS),
    )
    guard = Middleware(
        Guard, secure=secure, signed=webhook_prefixes(instance), subdomains=instance.settings.security.hsts_subdomains
    )
    app = Starlette(routes=[Finding(routes)], middleware=[watch, guard, Middleware(Compression), Middleware(Intake)])
    app.state.instance = instance
    app.state.rates = rates
    return app


def _route(endpoint: Endpoint, instance: Instance, rates: Rates, limiters: Limiters) -> Route:
    limiter = limiters.of(endpoint.plugin)

    async def run(request: Request) -> Response:
        return await answer(request, endpoint, instance, rates, limiter)

    return Route(f"/api{endpoint.path}", run, methods=[endpoint.method], name=endpoint.name)


def _under(plugin: str, endpoint: Endpoint, chosen: bool) -> Endpoint:
    """`chosen`: enterprises switch the plugin on and off."""
    where_off = endpoint.where_off or not chosen
    return replace(endpoint, path=f"/-/{plugin}{endpoint.path}", plugin=plugin, where_off=where_off)


def _fixed(instance: Instance, taken: Sequence[BaseRoute], limiters: Limiters) -> list[BaseRoute]:
    """Routes of plugins at addresses that standards fix. Raises `PluginError` for one that is claimed already."""
    claimed = {_path(one) for one in taken}
    found: list[BaseRoute] = []
    for given in instance.hooks.each(specifications.fixed_routes, instance=instance):
        theirs = list(given.value or ())
        for path in map(_path, theirs):
            if path in claimed:
                raise PluginError(given.plugin, "fixed_routes", f"{path} belongs to somebody else")
        found += limiters.blaming(instance.hooks, given.plugin, theirs)
        claimed |= {_path(one) for one in theirs}
    return found


def _path(route: BaseRoute) -> str:
    return getattr(route, "path", "")


def _pages(instance: Instance, limiters: Limiters) -> Sequence[BaseRoute]:
    """Pages and static files of plugins under /-/<id>/; pages of the front plugin at the root, after everything."""
    answers = instance.hooks.each(specifications.routes, instance=instance)
    found = {one.plugin: limiters.blaming(instance.hooks, one.plugin, one.value or ()) for one in answers}
    front = found.pop(instance.settings.front, [])
    static = [
        Mount(f"/-/{plugin}/static", Assets(folder / "static"))
        for plugin, folder in instance.hooks.folders().items()
        if (folder / "static").is_dir()
    ]
    return [*static, *(Mount(f"/-/{plugin}", routes=routes) for plugin, routes in found.items()), *front]
