"""``/-/health`` and ``/-/metrics``, for load balancers, monitors and Prometheus."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...base.errors import CommensalError, TooMany
from ...instance import Instance
from ..api.problems import problem
from ..api.rates import Rates
from .figures import Figures
from .health import Watcher
from .monitor import demand_monitor

HEALTH, METRICS = "/-/health", "/-/metrics"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_log = structlog.get_logger("commensal.watching")


def watching_routes(instance: Instance, rates: Rates, figures: Figures) -> Sequence[Route]:
    watcher = Watcher(instance, figures)

    async def health(request: Request) -> Response:
        return await run_in_threadpool(_health, request, instance, rates, watcher)

    async def metrics(request: Request) -> Response:
        return await run_in_threadpool(_metrics, request, instance, rates, figures)

    return [Route(HEALTH, health), Route(METRICS, metrics)]


def _health(request: Request, instance: Instance, rates: Rates, watcher: Watcher) -> Response:
    """Strangers, and who cannot be known because the database is away, are told the status alone."""
    seen = watcher.health()
    said: dict[str, object] = {"status": seen.status}
    try:
        if "authorization" in request.headers or request.cookies:  # else nobody need be looked up
            rates.count("reads", request.client.host if request.client else "")
            demand_monitor(request, instance)
            said["reasons"] = list(seen.reasons)
    except TooMany as error:
        return problem(error, instance.settings.language)
    except CommensalError:
        pass
    except Exception as error:
        if seen.status != "down":
            _log.error("who asks for the health is not known", exc_info=error)
    return JSONResponse(said, 503 if seen.status == "down" else 200, {"Cache-Control": "no-store"})


def _metrics(request: Request, instance: Instance, rates: Rates, figures: Figures) -> Response:
    try:
        rates.count("reads", request.client.host if request.client else "")
        demand_monitor(request, instance)
        return Response(figures.text(), headers={"Content-Type": _TEXT, "Cache-Control": "no-store"})
    except Exception as error:  # the edge: the monitor gets an answer, and the operator the traceback
        if not isinstance(error, CommensalError):
            _log.error("metrics failed", exc_info=error)
        return problem(error, instance.settings.language)
