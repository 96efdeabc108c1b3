"""The routes of peers under ``/-/federation/``. A request's body is read only after its headers were admitted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from commensal import Instance, network

from ..delivery.calling import ENVELOPE
from ..delivery.inbox.admission import LARGEST, Denied, HeldBack, admit, refuse_at_the_door
from ..dfc.contexts import own_context
from ..messages.peering import LARGEST as LARGEST_REQUEST
from ..runtime import Federation, federation_of
from ..signing import target_uri
from ..transport import Answer, Request
from .answer import denied_answer, serve

_CONTEXT = msgspec.json.encode(own_context())


def peer_routes(instance: Instance) -> Sequence[BaseRoute]:
    """The routes. The core's rate limits do not apply: peers have their own, and strangers are refused cheaply."""
    federation, held_back = federation_of(instance), HeldBack()

    async def run(request: HttpRequest) -> Response:
        address = network(request.client.host) if request.client else ""
        answer = await _answer(federation, request, address)
        return _response(await held_back.keep(answer, address) if answer.status == 429 else answer)

    boxes = ("/inbox", "/outbox", "/ask", "/requests", "/pairings", "/hubs")
    paths = (*boxes, "/messages/{message}", "/enterprises/{enterprise}", "/names/{order}", "/documents/{document}")
    routes = [Route(path, run, methods=["GET", "POST"], name=f"federation {path[1:]}") for path in paths]
    return [*routes, Route("/context", _context, name="federation context")]


async def _context(http: HttpRequest) -> Response:
    """The JSON-LD context of messages, for everybody, since its own address need not resolve."""
    return Response(_CONTEXT, media_type=ENVELOPE, headers={"cache-control": "public, max-age=86400"})


async def _answer(federation: Federation, http: HttpRequest, address: str) -> Answer:
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in http.scope["headers"]]
    is_of_strangers = http.url.path.endswith(("/requests", "/pairings"))
    limit = LARGEST_REQUEST if is_of_strangers else LARGEST
    url = target_uri(federation.base, http.scope["raw_path"], http.scope["query_string"])
    try:
        if not is_of_strangers:
            length = http.headers.get("content-length", "")
            size = int(length) if length.isascii() and length.isdecimal() and len(length) < 16 else 0
            refuse_at_the_door(federation, headers, size, address)
            await run_in_threadpool(admit, federation, Request(http.method, url, headers, b""), size, address)
        body = await _body(http, limit)
    except Denied as denial:
        return denied_answer(denial)
    except ClientDisconnect:
        return Answer(400)
    return await run_in_threadpool(serve, federation, Request(http.method, url, headers, body), address)


async def _body(http: HttpRequest, limit: int) -> bytes:
    parts, size = [], 0
    async for part in http.stream():
        size += len(part)
        if size > limit:
            raise Denied(413, "too_large", f"more than {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, headers=dict(answer.headers))
