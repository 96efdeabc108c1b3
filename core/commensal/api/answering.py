"""From a request to an answer: limits, identity, scope, then the handler in its transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import structlog
from anyio import CapacityLimiter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ..audit.acting import acting, acting_for
from ..errors import CommensalError, Refused
from ..failpoints import failpoint
from ..instance import Instance
from ..languages.catalogs import best_language
from ..logs import note
from ..people.access import demand
from ..people.scopes import PUBLIC
from ..people.sessions import NewSession, keep_alive
from ..store import Transaction
from .apart import run_apart
from .authenticate import authenticate, is_anonymous, nobody
from .cookies import clear_session, set_browser, set_session
from .endpoint import Call, Endpoint, File, Stream
from .guessing import slowed_down
from .idempotency import Kept, keep_answer, kept_answer, name_of, read_key, request_hash
from .problems import problem
from .rates import Rates
from .reading import read_body, read_id, read_query, read_version
from .streaming import begin_stream
from .tracing import trace_export, trace_request

LARGEST_JSON = 1024 * 1024  # bytes
LARGEST_FILE = 9 * 1024 * 1024
_log = structlog.get_logger("commensal.api")


class TooLarge(Refused):
    """More was sent than is read."""

    status = 413

    def __init__(self, most: int) -> None:
        super().__init__("too_large", "The request is larger than {most} bytes.", most=most)


class WrongType(Refused):
    """The body is not of the type that the endpoint takes."""

    status = 415

    def __init__(self, wanted: str) -> None:
        super().__init__("media_type", "Send this as {wanted}.", wanted=wanted)


async def answer(
    request: Request, endpoint: Endpoint, instance: Instance, rates: Rates, limiter: CapacityLimiter | None = None
) -> Response:
    """The response to any request for this endpoint; errors become problem documents. `limiter` bounds how many of a
    plugin's run at once."""
    language = best_language(request.headers.get("accept-language", ""), default=instance.settings.language)
    try:
        content = b"" if endpoint.safe else await _content(request, endpoint)
        return await run_apart(_named, request, endpoint, instance, rates, content, language, limiter=limiter)
    except ClientDisconnect:
        raise
    except Exception as error:  # the edge: whatever it was, the caller gets an answer and the operator the traceback
        if not isinstance(error, CommensalError):
            _log.error("request failed", exc_info=error)
        return problem(error, language)


async def _content(request: Request, endpoint: Endpoint) -> bytes:
    most = LARGEST_JSON if endpoint.takes == "application/json" else LARGEST_FILE
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if endpoint.body is not None and endpoint.takes == "application/json" and sent != "application/json":
        raise WrongType("application/json")
    if "content-encoding" in request.headers:
        raise Refused("content_encoding", "Send the body without Content-Encoding.")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(most)
        parts.append(part)
    return b"".join(parts)


def _named(
    request: Request, endpoint: Endpoint, instance: Instance, rates: Rates, content: bytes, language: str
) -> Response:
    """What goes wrong with an endpoint of a plugin's is noted with its name."""
    if not endpoint.plugin:
        return _answer(request, endpoint, instance, rates, content, language)
    with instance.hooks.running(endpoint.plugin, f"endpoint {endpoint.name}"):
        return _answer(request, endpoint, instance, rates, content, language)


def _answer(
    request: Request, endpoint: Endpoint, instance: Instance, rates: Rates, content: bytes, language: str
) -> Response:
    address = request.client.host if request.client else ""
    with rates.trying(endpoint.limit or ("reads" if endpoint.safe else "writes"), address):
        return _within_limits(request, endpoint, instance, rates, content, language)


def _within_limits(
    request: Request, endpoint: Endpoint, instance: Instance, rates: Rates, content: bytes, language: str
) -> Response:
    given = _given(request, endpoint, content)
    enterprise_id, base_url = given.get("enterprise"), instance.settings.base_url
    understood = partial(Call, instance=instance, language=language)
    response: Response | None = None
    if _asks_nothing(endpoint) and is_anonymous(request, base_url):
        actor = nobody(request)
        note(enterprise=enterprise_id)
        understood = partial(understood, actor=actor, version=_version(request, endpoint))
    else:
        with instance.store.read() as tx:
            actor = authenticate(tx, request, instance.settings)
            demand(tx, actor, endpoint.scope, enterprise_id)
            note(enterprise=enterprise_id)
            understood = partial(understood, actor=actor, version=_version(request, endpoint))
            if endpoint.prepare is not None:
                understood = partial(understood, prepared=endpoint.prepare(understood(tx=tx), **given))
            if endpoint.safe:
                call = understood(tx=tx)
                value = endpoint.handler(call, **given)
                response = _respond(endpoint, instance, value)
        keep_alive(instance.store, actor, tx.now)
    if endpoint.proves is not None:
        understood = partial(understood, prepared=endpoint.proves(instance, actor, **given))
    with acting(acting_for(actor, endpoint.name, enterprise_id)):
        if response is not None:
            trace_export(call, endpoint, given, value)
            return response
        with slowed_down(rates, actor.address, getattr(given.get("body"), "codes", None) or ()):
            return _change(request, endpoint, instance, understood, given, content)


def _asks_nothing(endpoint: Endpoint) -> bool:
    """Before it begins to write, if nobody is to be recognised: then it need not be read either."""
    return endpoint.scope == PUBLIC and not endpoint.safe and endpoint.prepare is None


def _version(request: Request, endpoint: Endpoint) -> int:
    return read_version(request.headers.get("if-match")) if endpoint.edits else 0


def _given(request: Request, endpoint: Endpoint, content: bytes) -> dict[str, Any]:
    given: dict[str, Any] = {name: read_id(value) for name, value in request.path_params.items()}
    if endpoint.query is not None:
        given["query"] = read_query(endpoint.query, request.query_params)
    if endpoint.body is bytes:
        given["body"] = content
    elif endpoint.body is not None:
        given["body"] = read_body(endpoint.body, content)
    return given


def _change(
    request: Request,
    endpoint: Endpoint,
    instance: Instance,
    understood: Callable[..., Call],
    given: dict[str, Any],
    content: bytes,
) -> Response:
    key = read_key(request.headers.get("idempotency-key"), needed=endpoint.needs_key) if endpoint.keeps else None
    path = f"{request.url.path}?{request.url.query}"

    def act(tx: Transaction) -> tuple[Call, Any, Response]:
        call = understood(tx=tx)
        actor = call.actor.key
        if key is not None:
            kept = kept_answer(tx, actor, key, request_hash(endpoint.method, path, content))
            if kept is not None and endpoint.after is None:
                return call, None, Response(kept.body, kept.status, dict(kept.headers))
            call = replace(call, key=name_of(actor, key))
        value = endpoint.handler(call, **given)
        trace_request(tx, endpoint, given)
        response = _respond(endpoint, instance, value)
        if key is not None:
            keep_answer(tx, actor, key, _kept(response))
        failpoint("request.before_commit")
        return call, value, response

    call, value, response = instance.transact(act)
    failpoint("request.committed")
    if endpoint.after is not None and value is not None:
        response = _respond(endpoint, instance, endpoint.after(call, value))
    return response


def _kept(response: Response) -> Kept:
    headers = {name: value for name, value in response.headers.items() if name in ("content-type", "etag", "location")}
    return Kept(response.status_code, headers, bytes(response.body).decode())


def _respond(endpoint: Endpoint, instance: Instance, value: Any) -> Response:
    if isinstance(value, Response):
        return value
    if isinstance(value, Stream):
        return begin_stream(value)
    if isinstance(value, File):
        headers = {"Cache-Control": "public, max-age=31536000, immutable" if value.unchanging else "no-store"}
        if value.filename:
            headers["Content-Disposition"] = f'attachment; filename="{value.filename}"'
        return Response(value.content, endpoint.status, headers, value.media_type)
    headers = {"Cache-Control": "no-store"}
    version = getattr(value, "version", None)
    if isinstance(version, int):
        headers["ETag"] = f'"{version}"'
    if value is None:
        response = Response(status_code=endpoint.status, headers=headers)
    else:
        body = msgspec.json.encode(value)
        response = Response(body, endpoint.status, headers, "application/json")
    if isinstance(value, NewSession):
        set_session(response, instance.settings.base_url, value.secret)
        set_browser(response, instance.settings.base_url, value.browser)
    if endpoint.name == "log_out":
        clear_session(response, instance.settings.base_url)
    return response
