"""From a request to an answer: limits, identity, scope; only then the body; then the handler in its transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec
import structlog
from anyio import CapacityLimiter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ...base.errors import CommensalError, NotFound, Refused, Unavailable
from ...base.failpoints import failpoint
from ...base.languages.catalogs import best_language
from ...base.logs import note
from ...instance import Instance
from ...storage.database import Transaction
from ...trade.audit.acting import acting, acting_for
from ...trade.enterprises.plugins import enabled_plugins
from ...trade.people.access import demand
from ...trade.people.actor import Actor
from ...trade.people.scopes import PUBLIC
from ...trade.people.sessions import NewSession, keep_alive
from .apart import run_apart
from .authenticate import authenticate, is_anonymous, nobody
from .code_throttle import slowed_down
from .cookies import clear_session, set_browser, set_session
from .endpoint import Call, Endpoint, File, Stream
from .idempotency import Kept, Seal, keep_answer, kept_answer, name_of, read_key, request_hash
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


@dataclass(frozen=True, kw_only=True)
class _Admitted:
    """A request whose sender is known and allowed. `given` are its parameters, to which the body is still to come."""

    actor: Actor
    given: dict[str, Any]
    version: int


async def answer(
    request: Request, endpoint: Endpoint, instance: Instance, rates: Rates, limiter: CapacityLimiter | None = None
) -> Response:
    """The response to any request for this endpoint; errors become problem documents. `limiter` bounds how many of a
    plugin's run at once."""
    language = best_language(request.headers.get("accept-language", ""), default=instance.settings.language)
    run = partial(run_apart, _for_its_plugin, endpoint, instance, limiter=limiter)
    try:
        if endpoint.safe:
            return await run(_show, request, endpoint, instance, rates, language)
        admitted = await run_apart(_admit, request, endpoint, instance, rates)
        content = await _content(request, endpoint)
        return await run(_act, request, endpoint, instance, rates, admitted, content, language)
    except ClientDisconnect:
        raise
    except Exception as error:  # the edge: whatever it was, the caller gets an answer and the operator the traceback
        if isinstance(error, Unavailable) or not isinstance(error, CommensalError):
            _log.error("request failed", exc_info=error)
        return problem(error, language)


async def _content(request: Request, endpoint: Endpoint) -> bytes:
    """The body, which an action that needs none may leave out. Raises `WrongType`, `TooLarge`."""
    if "content-encoding" in request.headers:
        raise Refused("content_encoding", "Send the body without Content-Encoding.")
    most = LARGEST_JSON if endpoint.takes == "application/json" else LARGEST_FILE
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    fits = endpoint.body is None or endpoint.takes != "application/json" or sent == "application/json"
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size and not fits:
            raise WrongType("application/json")
        if size > most:
            raise TooLarge(most)
        parts.append(part)
    if not size and not fits and not endpoint.may_come_empty:
        raise WrongType("application/json")
    return b"".join(parts)


def _for_its_plugin(endpoint: Endpoint, instance: Instance, act: Callable[..., Response], *given: Any) -> Response:
    """What goes wrong with an endpoint of a plugin's is noted with its name."""
    if not endpoint.plugin:
        return act(*given)
    with instance.hooks.running(endpoint.plugin, f"endpoint {endpoint.name}"):
        return act(*given)


def _admit(request: Request, endpoint: Endpoint, instance: Instance, rates: Rates) -> _Admitted:
    """What is asked before anything of the body is read. Raises `Refused`."""
    rates.count(endpoint.limit or "writes", _address(request))
    given = _named(request)
    if endpoint.scope == PUBLIC and is_anonymous(request, instance.settings.base_url):
        actor = nobody(request)
        if endpoint.plugin and given.get("enterprise") is not None:
            with instance.store.read() as tx:
                _refuse_where_off(tx, endpoint, given.get("enterprise"))
    else:
        with instance.store.read() as tx:
            actor = authenticate(tx, request, instance.settings)
            demand(tx, actor, endpoint.scope, given.get("enterprise"))
            _refuse_where_off(tx, endpoint, given.get("enterprise"))
        keep_alive(instance.store, actor, tx.now)
    note(enterprise=given.get("enterprise"))
    return _Admitted(actor=actor, given=given | _asked(request, endpoint), version=_version(request, endpoint))


def _show(request: Request, endpoint: Endpoint, instance: Instance, rates: Rates, language: str) -> Response:
    """The answer of a safe endpoint, from one snapshot."""
    given = _named(request)
    enterprise_id = given.get("enterprise")
    with rates.trying(endpoint.limit or "reads", _address(request)):
        with instance.store.read() as tx:
            actor = authenticate(tx, request, instance.settings)
            demand(tx, actor, endpoint.scope, enterprise_id)
            _refuse_where_off(tx, endpoint, enterprise_id)
            note(enterprise=enterprise_id)
            given |= _asked(request, endpoint)
            call = Call(instance=instance, language=language, actor=actor, tx=tx, version=_version(request, endpoint))
            if endpoint.prepare is not None:
                call = replace(call, prepared=endpoint.prepare(call, **given))
            value = endpoint.handler(call, **given)
            response = _respond(endpoint, instance, value)
        keep_alive(instance.store, actor, tx.now)
    with acting(acting_for(actor, endpoint.name, enterprise_id)):
        trace_export(call, endpoint, given, value)
    return response


def _act(
    request: Request,
    endpoint: Endpoint,
    instance: Instance,
    rates: Rates,
    admitted: _Admitted,
    content: bytes,
    language: str,
) -> Response:
    """The answer of an unsafe endpoint, whose body has come."""
    given, actor = {**admitted.given, **_sent(endpoint, content)}, admitted.actor
    understood = partial(Call, instance=instance, language=language, actor=actor, version=admitted.version)
    if endpoint.prepare is not None:
        with instance.store.read() as tx:
            understood = partial(understood, prepared=endpoint.prepare(understood(tx=tx), **given))
    if endpoint.proves is not None:
        understood = partial(understood, prepared=endpoint.proves(instance, actor, **given))
    codes = getattr(given.get("body"), "codes", None) or ()
    with acting(acting_for(actor, endpoint.name, given.get("enterprise"))), slowed_down(rates, actor.address, codes):
        response = _change(request, endpoint, instance, understood, given, content)
    rates.succeeded(endpoint.limit, _address(request))
    return response


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _refuse_where_off(tx: Transaction, endpoint: Endpoint, enterprise_id: str | None) -> None:
    """A plugin does nothing for an enterprise that has not switched it on."""
    if not endpoint.plugin or endpoint.where_off or enterprise_id is None:
        return
    if endpoint.plugin not in enabled_plugins(tx, enterprise_id):
        raise NotFound("plugin_off", "This enterprise does not use the extension {plugin}.", plugin=endpoint.plugin)


def _version(request: Request, endpoint: Endpoint) -> int:
    return read_version(request.headers.get("if-match")) if endpoint.edits else 0


def _named(request: Request) -> dict[str, Any]:
    return {name: read_id(value) for name, value in request.path_params.items()}


def _asked(request: Request, endpoint: Endpoint) -> dict[str, Any]:
    return {} if endpoint.query is None else {"query": read_query(endpoint.query, request.query_params)}


def _sent(endpoint: Endpoint, content: bytes) -> dict[str, Any]:
    if endpoint.body is None:
        return {}
    if endpoint.body is bytes:
        return {"body": content}
    return {"body": read_body(endpoint.body, content or b"{}" if endpoint.may_come_empty else content)}


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
    seal = Seal(endpoint.seals, key or "", content)

    def act(tx: Transaction) -> tuple[Call, Any, Response]:
        call = understood(tx=tx)
        actor = call.actor.key
        if key is not None:
            kept = kept_answer(tx, actor, key, request_hash(endpoint.method, path, content))
            if kept is not None and endpoint.after is None:
                kept = seal.open(kept)
                return call, None, Response(kept.body, kept.status, dict(kept.headers))
            call = replace(call, key=name_of(actor, key))
        value = endpoint.handler(call, **given)
        trace_request(tx, endpoint, given)
        response = _respond(endpoint, instance, value)
        if key is not None:
            keep_answer(tx, actor, key, seal.close(_kept(response)))
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
