"""Receives messages of payment providers: ``POST /-/<plugin>/webhook/<enterprise>``, for every plugin that reads them.

They carry no cookie and no token: the plugin verifies each by its signature. The sender of a message that is not
verified learns nothing, and a provider learns only whether to send it again (5xx) or not.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ...api.limits import Rates
from ...api.reading import read_id
from ...audit.trail import Acting, acting
from ...base.errors import NotFound, Refused, TooMany, Unavailable
from ...hooks import specifications
from ...hooks.values import WebhookRequest
from ...instance import Instance
from ...payments.providers import apply_message, is_switched_on

MAX_SIZE = 256 * 1024  # bytes
_log = structlog.get_logger("commensal.webhooks")


def webhook_prefixes(instance: Instance) -> tuple[str, ...]:
    """The path prefixes of messages, where requests of any origin are allowed."""
    return tuple(f"/-/{plugin}/webhook/" for plugin in instance.hooks.implementing(specifications.payment_webhook))


def webhook_routes(instance: Instance, rates: Rates) -> Sequence[Route]:
    """One route for each plugin that reads messages of a provider."""
    plugins = instance.hooks.implementing(specifications.payment_webhook)
    return [_route(instance, rates, plugin) for plugin in plugins]


def _route(instance: Instance, rates: Rates, plugin: str) -> Route:
    async def receive(request: Request) -> Response:
        try:
            rates.count("webhooks", request.client.host if request.client else "")
            body = await _body(request)
        except TooMany as error:
            return Response(status_code=429, headers={"Retry-After": str(error.retry_after)})
        if body is None:
            return Response(status_code=413)
        message = WebhookRequest(body=body, headers={name.lower(): value for name, value in request.headers.items()})
        return Response(status_code=await run_in_threadpool(_status, instance, plugin, request, message))

    return Route(f"/-/{plugin}/webhook/{{enterprise}}", receive, methods=["POST"])


def _status(instance: Instance, plugin: str, request: Request, message: WebhookRequest) -> int:
    try:
        enterprise_id = read_id(request.path_params["enterprise"])
        if not is_switched_on(instance, plugin, enterprise_id):
            return 404
    except NotFound:
        return 404
    try:
        with acting(Acting(kind="provider", command=f"webhook {plugin}")):
            apply_message(instance, plugin, enterprise_id, message)
    except Refused as error:
        _log.warning("a message was refused", plugin=plugin, enterprise=enterprise_id, code=error.code)
        return 400
    except Exception as error:  # the provider sends it again, and the operator gets the traceback
        _log.error("a message was not applied", plugin=plugin, enterprise=enterprise_id, exc_info=error)
        return 503 if isinstance(error, Unavailable) else 500
    return 200


async def _body(request: Request) -> bytes | None:
    """The body; None if it is larger than any provider's message."""
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_SIZE:
                return None
            parts.append(part)
    except ClientDisconnect:
        return None
    return b"".join(parts)
