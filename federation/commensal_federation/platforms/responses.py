"""HTTP responses in DFC: their dialect, their ETag, and errors as problem documents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from commensal import Dialect, Instance, Problem, Refused, TooMany, say
from commensal.pages import Visit, explain, page

from ..dfc.contained import contained
from ..dfc.detection import all_dialects, dialect_by_id, negotiate
from ..dfc.findings import Paths
from ..dfc.read import SENT_IN, DfcDocument, parse, read, refuse_beyond
from ..dfc.vocabulary import Thing
from .containers import container_address, is_in_containers, with_container_addresses, without_container_addresses

VERSION = version("commensal")  # part of every ETag: a new version may write other documents
_JSON = re.compile(r"[/+]json\b", re.IGNORECASE)
_ANYTHING = re.compile(r"(\*|application|text)/\*")
_CODES = {500: "error", 502: "plugin", 503: "busy"}  # of errors that the caller has not caused
_PAUSE = "5"  # seconds, of Retry-After
_LARGEST = 4_000_000  # bytes of a request: an order of 500 lines with the details of its products


def dfc_page(path: str, handler: Callable[[Visit], Response], *methods: str, every_origin: bool = False) -> BaseRoute:
    """A route for platforms and people: accepts bearer tokens of trusted issuers and our own. `every_origin`: scripts
    of all sites may read it, as it is public."""

    def answer(visit: Visit) -> Response:
        _demand_json(visit)
        return handler(visit)

    answer.__name__ = handler.__name__
    return page(
        path,
        answer,
        on_error=on_error,
        methods=methods or ("GET",),
        largest=_LARGEST,
        recognise=_recognise,
        where_off=True,
        every_origin=every_origin,
    )


class _NotAcceptable(Refused):
    status = 406


class _NotJson(Refused):
    status = 415


def _demand_json(visit: Visit) -> None:
    """Refuses a body that says that it is not JSON, and a caller who accepts none."""
    content_type = visit.request.headers.get("content-type", "")
    if visit.body and content_type and not _JSON.search(content_type.partition(";")[0]):
        text = "A document is JSON-LD: send it as application/ld+json."
        raise _NotJson("content_type", text)
    accept = visit.request.headers.get("accept", "")
    known = [dialect.media_type.partition(";")[0] for dialect in all_dialects(visit.instance)]
    is_acceptable = _JSON.search(accept) or _ANYTHING.search(accept) or any(name in accept for name in known)
    if accept and not is_acceptable:
        raise _NotAcceptable("accept", "Documents here are application/ld+json.")


def _recognise(instance: Instance, token: str) -> str | None:
    from .tokens import recognise  # the JWT library is slow to load, and few platforms send one

    return recognise(instance, token)


def dfc_response(
    visit: Visit, things: Iterable[Thing], members: Iterable[str] | None = None, status: int = 200
) -> Response:
    """Writes the values in the requested dialect, without links to things that are not among them. `members`: IRIs in
    the LDP container of a list in 2.0."""
    return _response(visit, write_document(visit, things, members), _requested_dialect(visit).media_type, status, "")


def dfc_response_20(visit: Visit, things: Iterable[Thing], members: Iterable[str] | None = None) -> Response:
    """The same in DFC 2.0 whatever is requested, for things that 1.16 has no classes for."""
    dialect = dialect_by_id(visit.instance, "2.0")
    return _response(visit, dialect.write(contained(things), _lists(visit, members)), dialect.media_type, 200, "")


def document_response(visit: Visit, content: bytes, tag: str) -> Response:
    """The response with a document that `write_document` has written, and whose ETag is known beforehand."""
    return _response(visit, content, _requested_dialect(visit).media_type, 200, tag)


def write_document(visit: Visit, things: Iterable[Thing], members: Iterable[str] | None = None) -> bytes:
    """The bytes of the document that `dfc_response` answers with."""
    return _requested_dialect(visit).write(_present(visit, things), _lists(visit, members))


def _lists(visit: Visit, members: Iterable[str] | None) -> dict[str, list[str]]:
    if members is None:
        return {}
    return {f"{base_of(visit)}{visit.request.url.path}": [requested_address(visit, iri) for iri in members]}


def _present(visit: Visit, things: Iterable[Thing]) -> list[Thing]:
    """The things of an answer, without links to others, with addresses in the layout of the request."""
    present = contained(things)
    if not is_in_containers(visit.request.url.path):
        return present
    owner, order_id = visit.path.get("enterprise", ""), visit.path.get("order", "")
    return with_container_addresses(base_of(visit), owner, present, order_id=order_id)


def requested_address(visit: Visit, iri: str) -> str:
    """The address of a thing of ours in the layout of the request, if that is the one of containers."""
    if not is_in_containers(visit.request.url.path):
        return iri
    order_id = visit.path.get("order", "")
    return container_address(base_of(visit), visit.path.get("enterprise", ""), iri, order_id=order_id)


def _requested_dialect(visit: Visit) -> Dialect:
    if is_in_containers(visit.request.url.path):
        return dialect_by_id(visit.instance, "2.0")
    return negotiate(visit.instance, visit.request.headers.get("accept", ""))


def json_response(visit: Visit, content: dict[str, Any], media_type: str) -> Response:
    """Writes JSON outside the dialects. Answers 304 if the caller has the same content already."""
    return _response(visit, msgspec.json.encode(content), media_type, 200, "")


def _response(visit: Visit, content: bytes, media_type: str, status: int, tag: str) -> Response:
    tag = tag or _tag_of(content)
    if visit.request.method == "GET" and matches_etag(visit, tag):
        return not_modified(visit, tag)
    if visit.request.method != "GET" and "return=minimal" in visit.request.headers.get("prefer", ""):  # RFC 7240
        status = 204 if status == 200 else status
        return Response(None, status, {**_headers(tag), "Preference-Applied": "return=minimal"})
    return Response(content, status, {**_headers(tag), "Content-Type": media_type})


def etag_of(visit: Visit, stamp: str) -> str:
    """The ETag of a response that depends only on `stamp`, the path and the requested dialect."""
    parts = (stamp, VERSION, base_of(visit), visit.request.url.path, _requested_dialect(visit).media_type)
    digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()
    return f'"{digest[:32]}"'


def matches_etag(visit: Visit, tag: str) -> bool:
    """Whether If-None-Match has the tag (RFC 9110, section 13.1.2; a weak tag, W/, compares like any other)."""
    tags = visit.request.headers.get("if-none-match", "").split(",")
    return any(candidate.strip().removeprefix("W/") in (tag, "*") for candidate in tags)


def read_sent(visit: Visit, iri: str, type_name: str) -> tuple[DfcDocument, Paths]:
    """The document in the body, and the paths in its JSON. One without an id or a type, as Open Food Network takes
    them, is about a thing with this IRI of this type. Raises `UnreadableDocument`."""
    raw = _sent_json(visit)
    if isinstance(raw, dict) and not {"@graph", "@id", "id"} & raw.keys():
        raw = {"@type": type_name, **raw, "@id": iri}
    paths = Paths(raw)  # reading changes the JSON
    return read(raw, limits=SENT_IN), paths


def read_body(visit: Visit) -> DfcDocument:
    """The document in the body. Raises `UnreadableDocument`."""
    return read(_sent_json(visit), limits=SENT_IN)


def _sent_json(visit: Visit) -> Any:
    """The JSON of the body within the limits, with our things at their addresses below ``/api/dfc``."""
    raw: Any = parse(visit.body)
    refuse_beyond(raw, SENT_IN)
    return without_container_addresses(base_of(visit), raw)


def demand_match(visit: Visit, things: Iterable[Thing]) -> None:
    """Refuses to change what the caller has not seen as it is now: If-Match must have the ETag of these things in any
    dialect, or be "*". Answers 428 without the header, 412 for another state (RFC 9110, section 13.1.1; RFC 6585).

    A weak tag, W/, counts as the one that we sent: proxies that compress answers weaken it.
    """
    header = visit.request.headers.get("if-match")
    if header is None:
        raise _PreconditionRequired("if_match_missing", "Send If-Match with the ETag of the state that you have seen.")
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    present = _present(visit, things)
    states = (_tag_of(dialect.write(present, {})) for dialect in all_dialects(visit.instance))
    if "*" not in tags and tags.isdisjoint(states):
        raise ChangedMeanwhile


class _PreconditionRequired(Refused):
    status = 428


class ChangedMeanwhile(Refused):
    """What the caller would change is no longer as the caller has seen it."""

    status = 412

    def __init__(self) -> None:
        super().__init__("changed", "This has changed since you read it. Read it again.")


def _tag_of(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def not_modified(visit: Visit, tag: str) -> Response:
    return Response(status_code=304, headers=_headers(tag))


def _headers(tag: str) -> dict[str, str]:
    return {
        "ETag": tag,
        "Vary": "Accept, Authorization, Cookie, X-Api-Token",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }


def on_error(visit: Visit, error: Exception) -> Response:
    """A problem document (RFC 9457) with the members of the JSON API's."""
    headers = {}
    if isinstance(error, Refused):
        problems = [_problem(visit, problem) for problem in error.problems]
        body: dict[str, Any] = {
            "title": say(visit.language, error),
            "status": error.status,
            "code": error.code,
            "errors": problems,
        }
        if error.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, TooMany):
            headers["Retry-After"] = str(error.retry_after)
    else:
        title, status, _ = explain(visit, error)
        body = {"title": title, "status": status, "code": _CODES[status]}
        if status == 503:
            headers["Retry-After"] = _PAUSE
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


def _problem(visit: Visit, problem: Problem) -> dict[str, str]:
    """Names the place: a path into a document (RFC 9535), else a pointer or a header."""
    member = "path" if problem.where.startswith("$") else "pointer"
    return {member: problem.where, "code": problem.code, "detail": say(visit.language, problem)}


def base_of(visit: Visit) -> str:
    """The instance's address, without a trailing slash."""
    return visit.instance.settings.base_url.rstrip("/")
