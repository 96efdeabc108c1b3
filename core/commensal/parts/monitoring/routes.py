"""``/-/health`` and ``/-/metrics``, for load balancers, monitors and Prometheus.

Reasons and metrics reveal plugins, versions and turnover, so strangers get none. Requests from loopback get no special
trust: behind a reverse proxy that forwards no address, every request comes from there. Access needs the token or the
session of an operator, or the secret `watching.secret` of the settings. A monitor with that secret can do nothing else,
and the secret also works while the database, which knows the tokens, is down.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...api.authenticate import authenticate
from ...api.limits import Rates
from ...api.problems import problem
from ...base.errors import CommensalError, TooMany
from ...enterprises.access import demand
from ...instance import Instance
from ...people.actor import OPERATOR
from .health import Watcher
from .metrics import Metrics

HEALTH, METRICS = "/-/health", "/-/metrics"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_log = structlog.get_logger("commensal.watching")


def monitoring_routes(instance: Instance, rates: Rates, metrics: Metrics) -> Sequence[Route]:
    watcher = Watcher(instance)

    async def serve_health(request: Request) -> Response:
        return await run_in_threadpool(_health_response, request, instance, rates, watcher)

    async def serve_metrics(request: Request) -> Response:
        return await run_in_threadpool(_metrics_response, request, instance, rates, watcher, metrics)

    return [Route(HEALTH, serve_health), Route(METRICS, serve_metrics)]


def _health_response(request: Request, instance: Instance, rates: Rates, watcher: Watcher) -> Response:
    """The response of the health route. Only operators and monitors get the reasons; if the database is down, only a
    monitor with the secret of the settings can prove itself."""
    report = watcher.health()
    body: dict[str, object] = {"status": report.status}
    try:
        if "authorization" in request.headers or request.cookies:  # a request without proof needs no look-up
            rates.count("reads", request.client.host if request.client else "")
            _demand_monitor(request, instance)
            body["reasons"] = list(report.reasons)
    except TooMany as error:
        return problem(error, instance.settings.language)
    except CommensalError:
        pass
    except Exception as error:
        if report.status != "down":
            _log.error("who asks for the health is not known", exc_info=error)
    return JSONResponse(body, 503 if report.status == "down" else 200, {"Cache-Control": "no-store"})


def _metrics_response(
    request: Request, instance: Instance, rates: Rates, watcher: Watcher, metrics: Metrics
) -> Response:
    try:
        rates.count("reads", request.client.host if request.client else "")
        _demand_monitor(request, instance)
        return Response(metrics.text(watcher.health()), headers={"Content-Type": _TEXT, "Cache-Control": "no-store"})
    except Exception as error:  # the monitor gets a response, and the operator the traceback
        if not isinstance(error, CommensalError):
            _log.error("metrics failed", exc_info=error)
        return problem(error, instance.settings.language)


def _demand_monitor(request: Request, instance: Instance) -> None:
    """Returns for an operator or a monitor. Raises `Unauthorised` without proof, `Forbidden` for other people."""
    if _knows_secret(request, instance.settings.watching.secret.reveal()):
        return
    with instance.store.read() as tx:
        demand(tx, authenticate(tx, request, instance.settings), OPERATOR)


def _knows_secret(request: Request, secret: str) -> bool:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if not secret or kind.lower() != "bearer":
        return False
    return hmac.compare_digest(token.strip().encode(), secret.encode())
