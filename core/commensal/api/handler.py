"""Answers a request: checks rate, identity and scope, then reads the body, then runs the handler in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import structlog
from anyio import CapacityLimiter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ..audit.trail import acting, acting_for
from ..base.errors import CommensalError, Refused, Unauthorised, Unavailable
from ..base.failpoints import failpoint
from ..base.hidden_fields import Kind, without
from ..base.languages.catalogs import best_language
from ..base.logs import add_log_fields
from ..enterprises.access import demand, sees_addresses, sees_amounts
from ..enterprises.plugins import refuse_where_off
from ..instance import Instance
from ..people.actor import PUBLIC, Actor
from ..people.sessions import NewSession, keep_alive
from ..storage.database import Transaction
from ..storage.idempotency import Seal, StoredAnswer, claim_key, hash_key, read_key, request_hash, store_answer
from .authenticate import anonymous_actor, authenticate, clear_session, is_anonymous, set_browser, set_session
from .endpoint import Call, Endpoint, File, Stream
from .limits import Rates, throttle_codes
from .plugin_threads import run_in_thread
from .problems import problem
from .reading import read_body, read_id, read_query, read_version
from .streaming import begin_stream
from .tracing import trace_export, trace_request
from .waiting_files import answer_with_files, files_of

Shown = Callable[[Any], Any]  # what the caller may read of a handler's value

LARGEST_JSON = 1024 * 1024  # bytes
LARGEST_FILE = 9 * 1024 * 1024
RIGHTS_LAST = timedelta(seconds=1)  # a request that takes longer to come, or waits, is asked for its rights again
_log = structlog.get_logger("commensal.api")


class TooLarge(Refused):
    """The body is larger than the endpoint reads."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__("too_large", "The request is larger than {most} bytes.", most=limit)


class WrongType(Refused):
    """The body does not have the media type that the endpoint takes."""

    status = 415

    def __init__(self, media_type: str) -> None:
        super().__init__("media_type", "Send this as {wanted}.", wanted=media_type)


@dataclass(frozen=True, kw_only=True)
class _Admitted:
    """A request whose sender is authenticated and allowed. `arguments` are those of the handler, without the body; `at`
    (UTC) is when the rights were asked for."""

    at: datetime
    actor: Actor
    arguments: dict[str, object]
    version: int


async def answer(
    request: Request, endpoint: Endpoint, instance: Instance, rates: Rates, limiter: CapacityLimiter | None = None
) -> Response:
    """The response to a request for this endpoint; errors become problem documents. `limiter` bounds how many requests
    of a plugin run at once."""
    requested_language = best_language(request.headers.get("accept-language", ""), default="")
    run = partial(run_in_thread, _attribute_to_plugin, endpoint, instance, limiter=limiter)
    try:
        if endpoint.safe:
            read = partial(run, _answer_read, request, endpoint, instance, rates, requested_language)
            return await answer_with_files(files_of(request, anonymous_actor(request)), read)
        admit = partial(_admit, request, endpoint, instance, rates)
        admitted = admit() if _is_open(request, endpoint, instance) else await run_in_thread(admit)
        content = await _read_content(request, endpoint)
        write = partial(run, _answer_write, request, endpoint, instance, rates, admitted, content, requested_language)
        return await answer_with_files(files_of(request, admitted.actor), write)
    except ClientDisconnect:
        raise
    except Exception as error:  # the caller always gets a response, and the operator the traceback
        if isinstance(error, Unavailable) or not isinstance(error, CommensalError):
            _log.error("request failed", exc_info=error)
        return problem(error, requested_language or instance.settings.language)


async def _read_content(request: Request, endpoint: Endpoint) -> bytes:
    """The body; b"" where it may be left out. Raises `WrongType`, `TooLarge`."""
    if "content-encoding" in request.headers:
        raise Refused("content_encoding", "Send the body without Content-Encoding.")
    limit = LARGEST_JSON if endpoint.takes == "application/json" else LARGEST_FILE
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    fits = endpoint.body is None or endpoint.takes != "application/json" or media_type == "application/json"
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size and not fits:
            raise WrongType("application/json")
        if size > limit:
            raise TooLarge(limit)
        parts.append(part)
    if not size and not fits and not endpoint.may_come_empty:
        raise WrongType("application/json")
    return b"".join(parts)


def _attribute_to_plugin(
    endpoint: Endpoint, instance: Instance, act: Callable[..., Response], *arguments: object
) -> Response:
    """Runs `act` so that errors in an endpoint of a plugin are attributed to it."""
    if not endpoint.plugin:
        return act(*arguments)
    with instance.hooks.running(endpoint.plugin, f"endpoint {endpoint.name}"):
        return act(*arguments)


def _is_open(request: Request, endpoint: Endpoint, instance: Instance) -> bool:
    """Whether anybody may send this, and the database need not be asked who does: then admitting it needs no thread."""
    is_of_everybody = endpoint.scope == PUBLIC and not endpoint.plugin and endpoint.query is None
    return is_of_everybody and is_anonymous(request, instance.settings.base_url)


def _admit(request: Request, endpoint: Endpoint, instance: Instance, rates: Rates) -> _Admitted:
    """Checks rate, identity and scope before the body is read. Raises `Refused`."""
    rates.count(endpoint.limit or "writes", _address(request))
    arguments, now = _path_arguments(request), instance.clock.now()
    if endpoint.scope == PUBLIC and is_anonymous(request, instance.settings.base_url):
        actor = anonymous_actor(request)
        if endpoint.plugin and arguments.get("enterprise") is not None:
            with instance.store.read() as tx:
                _refuse_where_off(tx, endpoint, arguments.get("enterprise"))
    else:
        with instance.store.read() as tx:
            actor = authenticate(tx, request, instance.settings)
            demand(tx, actor, endpoint.scope, arguments.get("enterprise"))
            _refuse_where_off(tx, endpoint, arguments.get("enterprise"))
        keep_alive(instance.store, actor, tx.now)
    add_log_fields(enterprise=arguments.get("enterprise"))
    arguments |= _query_argument(request, endpoint)
    return _Admitted(at=now, actor=actor, arguments=arguments, version=_version(request, endpoint))


def _refuse_ended(
    tx: Transaction, request: Request, endpoint: Endpoint, instance: Instance, admitted: _Admitted
) -> None:
    """Asks for the rights again if time has passed since then: who is shut out may still have a body to send, or a
    picture that is being read.

    Raises `Unauthorised` for a session or token that has ended, and what `demand` does.
    """
    is_quick = endpoint.proves is None and endpoint.prepare is None and abs(tx.now - admitted.at) < RIGHTS_LAST
    if admitted.actor.person_id is None or is_quick:
        return
    actor, enterprise_id = authenticate(tx, request, instance.settings), _path_arguments(request).get("enterprise")
    if actor.person_id != admitted.actor.person_id:
        raise Unauthorised
    demand(tx, actor, endpoint.scope, enterprise_id)
    _refuse_where_off(tx, endpoint, enterprise_id)


def _answer_read(
    request: Request, endpoint: Endpoint, instance: Instance, rates: Rates, requested_language: str
) -> Response:
    """The response of a safe endpoint, from one snapshot of the database."""
    arguments = _path_arguments(request)
    enterprise_id = arguments.get("enterprise")
    with rates.attempt(endpoint.limit or "reads", _address(request)):
        with instance.store.read() as tx:
            actor = authenticate(tx, request, instance.settings)
            demand(tx, actor, endpoint.scope, enterprise_id)
            _refuse_where_off(tx, endpoint, enterprise_id)
            add_log_fields(enterprise=enterprise_id)
            arguments |= _query_argument(request, endpoint)
            make_call = _call_maker(instance, requested_language, actor, _version(request, endpoint))
            call = prepare(endpoint, make_call(tx=tx), arguments)
            value = endpoint.handler(call, **arguments)
            response = _respond(endpoint, instance, value, _shown_to(call, endpoint, arguments))
        keep_alive(instance.store, actor, tx.now)
    with acting(acting_for(actor, endpoint.name, enterprise_id)):
        trace_export(call, endpoint, arguments, value)
    return response


def _answer_write(
    request: Request,
    endpoint: Endpoint,
    instance: Instance,
    rates: Rates,
    admitted: _Admitted,
    content: bytes,
    requested_language: str,
) -> Response:
    """The response of an unsafe endpoint, once its body has been read."""
    arguments, actor = {**admitted.arguments, **_body_argument(endpoint, content)}, admitted.actor
    make_call = _call_maker(instance, requested_language, actor, admitted.version)
    codes = getattr(arguments.get("body"), "codes", None) or ()
    with acting(acting_for(actor, endpoint.name, arguments.get("enterprise"))), throttle_codes(rates, actor, codes):
        refuse_ended = partial(_refuse_ended, request=request, endpoint=endpoint, instance=instance, admitted=admitted)
        response = _answer_once(request, endpoint, make_call, arguments, content, refuse_ended)
    rates.note_success(endpoint.limit, _address(request))
    return response


def prepare(endpoint: Endpoint, call: Call, arguments: dict[str, Any]) -> Call:
    """The call with what the endpoint prepares, which a safe one does in its own transaction."""
    return call if endpoint.prepare is None else replace(call, prepared=endpoint.prepare(call, **arguments))


def run_endpoint(
    endpoint: Endpoint,
    make_call: partial[Call],
    arguments: dict[str, Any],
    begin: Callable[[Call], tuple[Call, Response | None]] | None = None,
    respond_to: Callable[[Call], Callable[[object], Any]] = lambda call: _as_it_is,
    keep: Callable[[Call, Any], None] | None = None,
) -> Any:
    """The answer of an unsafe endpoint: prepared before its transaction, run and traced in it, and finished later.

    make_call:  a `Call` without its transaction
    begin:      in the transaction, first: the call to go on with, and an answer that was given before
    respond_to: in the transaction: the function that makes the answer of the handler's value
    keep:       in the transaction, last: what is stored of the answer
    """
    instance, actor = make_call.keywords["instance"], make_call.keywords["actor"]
    if endpoint.prepare is not None:
        with instance.store.read() as tx:
            make_call = partial(make_call, prepared=endpoint.prepare(make_call(tx=tx), **arguments))
    if endpoint.proves is not None:
        make_call = partial(make_call, prepared=endpoint.proves(instance, actor, **arguments))

    def act(tx: Transaction) -> tuple[Call, object, Callable[[object], Any], Any]:
        call, stored = (make_call(tx=tx), None) if begin is None else begin(make_call(tx=tx))
        if stored is not None:
            return call, None, _as_it_is, stored
        value = endpoint.handler(call, **arguments)
        trace_request(tx, endpoint, arguments)
        respond = respond_to(call)
        response = respond(value)
        if keep is not None:
            keep(call, response)
        return call, value, respond, response

    call, value, respond, response = instance.transact(act)
    failpoint("request.committed")
    if endpoint.after is not None and value is not None:
        return respond(endpoint.after(call, value))
    return response


def _call_maker(instance: Instance, requested_language: str, actor: Actor, version: int) -> partial[Call]:
    """`Call` with what is known before the transaction opens."""
    language = requested_language or instance.settings.language
    return partial(
        Call, instance=instance, language=language, requested_language=requested_language, actor=actor, version=version
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _refuse_where_off(tx: Transaction, endpoint: Endpoint, enterprise_id: str | None) -> None:
    """Raises `NotFound` for an endpoint of a plugin that the enterprise has not enabled."""
    if not endpoint.plugin or endpoint.where_off or enterprise_id is None:
        return
    refuse_where_off(tx, enterprise_id, endpoint.plugin)


def _version(request: Request, endpoint: Endpoint) -> int:
    return read_version(request.headers.get("if-match")) if endpoint.edits else 0


def _path_arguments(request: Request) -> dict[str, Any]:
    return {name: read_id(value) for name, value in request.path_params.items()}


def _query_argument(request: Request, endpoint: Endpoint) -> dict[str, object]:
    return {} if endpoint.query is None else {"query": read_query(endpoint.query, request.query_params)}


def _body_argument(endpoint: Endpoint, content: bytes) -> dict[str, Any]:
    if endpoint.body is None:
        return {}
    if endpoint.body is bytes:
        return {"body": content}
    return {"body": read_body(endpoint.body, content or b"{}" if endpoint.may_come_empty else content)}


def _answer_once(
    request: Request,
    endpoint: Endpoint,
    make_call: partial[Call],
    arguments: dict[str, object],
    content: bytes,
    refuse_ended: Callable[[Transaction], None],
) -> Response:
    """Runs the handler, or sends the stored response of a repeated request again."""
    key = read_key(request.headers.get("idempotency-key"), needed=endpoint.needs_key) if endpoint.keeps else None
    path = f"{request.url.path}?{request.url.query}"
    seal = Seal(key, content) if endpoint.sealed and key is not None else None

    def begin(call: Call) -> tuple[Call, Response | None]:
        refuse_ended(call.tx)
        if key is None:
            return call, None
        actor = call.actor.key
        stored = claim_key(call.tx, actor, key, request_hash(endpoint.method, path, content))
        if stored is not None and endpoint.after is None:
            stored = stored if seal is None else seal.open(stored)
            return call, Response(stored.body, stored.status, dict(stored.headers))
        return replace(call, key=hash_key(actor, key)), None

    def respond_to(call: Call) -> Callable[[object], Response]:
        shown = _shown_to(call, endpoint, arguments)
        return lambda value: _respond(endpoint, call.instance, value, shown)

    def keep(call: Call, response: Response) -> None:
        if key is not None:
            answer = _to_stored(response)
            store_answer(call.tx, call.actor.key, key, answer if seal is None else seal.close(answer))
        failpoint("request.before_commit")

    response: Response = run_endpoint(endpoint, make_call, arguments, begin, respond_to, keep)
    return response


def _to_stored(response: Response) -> StoredAnswer:
    headers = {name: value for name, value in response.headers.items() if name in ("content-type", "etag", "location")}
    return StoredAnswer(response.status_code, headers, bytes(response.body).decode())


def _shown_to(call: Call, endpoint: Endpoint, arguments: dict[str, Any]) -> Shown:
    """The function that leaves of the handler's value what the caller may read."""
    hidden = frozenset(_hidden_from(call, endpoint.hides, arguments["enterprise"])) if endpoint.hides else None
    return partial(without, kinds=hidden) if hidden else _as_it_is


def _hidden_from(call: Call, kinds: Collection[Kind], enterprise_id: str) -> Iterator[Kind]:
    if "money" in kinds and not sees_amounts(call.tx, call.actor, enterprise_id):
        yield "money"
    if "addresses" in kinds and not sees_addresses(call.tx, call.actor, enterprise_id):
        yield "addresses"


def _as_it_is(value: object) -> object:
    return value


def _respond(endpoint: Endpoint, instance: Instance, value: object, shown: Shown) -> Response:
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
        body = msgspec.json.encode(shown(value))
        response = Response(body, endpoint.status, headers, "application/json")
    if isinstance(value, NewSession):
        set_session(response, instance.settings.base_url, value.secret)
        set_browser(response, instance.settings.base_url, value.browser)
    if endpoint.name == "log_out":
        clear_session(response, instance.settings.base_url)
    return response
