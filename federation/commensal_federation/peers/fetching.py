"""Fetches the document of an instance: one that an operator named, or one that asks to become a peer."""

from __future__ import annotations

from dataclasses import dataclass

from commensal import Conflict, Invalid, url_problem

from ..identity import InstanceDocument, read_document
from ..identity.read import LARGEST, BadDocument
from ..runtime import Federation
from ..transport import Request, Unreachable
from .peers import WELL_KNOWN

_SECONDS = 15.0
_KINDS = ("application/ld+json", "application/json")


@dataclass(frozen=True)
class Fetched:
    """A document, and its text as received."""

    document: InstanceDocument
    text: str


def iri_of(federation: Federation, url: str) -> str:
    """The address of the document of the instance at `url`. Raises `Invalid`, or `Conflict` for our own address."""
    iri = url.strip().rstrip("/").removesuffix(WELL_KNOWN) + WELL_KNOWN
    problem = url_problem(federation.instance, iri, "/url")
    if problem is not None:
        raise Invalid([problem])
    if iri == federation.iri:
        raise Conflict("peer_self", "This is the address of this instance itself.")
    return iri


def fetch_document(federation: Federation, iri: str, *, seconds: float = _SECONDS) -> Fetched:
    """Fetches the document at `iri`. Not inside a transaction. Raises `Conflict`.

    Redirects are not followed, since whoever caused one would choose the document.
    """
    request = Request("GET", iri, [("accept", _KINDS[0])])
    try:
        answer = federation.transport.send(request, seconds=seconds, size=LARGEST)
    except Unreachable as error:
        raise error.for_people(iri.removesuffix(WELL_KNOWN)) from error
    media_type = answer.header("content-type").partition(";")[0].strip().lower()
    if answer.status != 200 or media_type not in _KINDS:
        text = "There is no instance at {url}: it answered {status}."
        raise Conflict("peer_absent", text, url=iri, status=answer.status)
    try:
        return Fetched(read_document(answer.body, iri, federation.instance.clock.now()), answer.body.decode())
    except BadDocument as error:
        text = "The document of the instance at {url} is not right: {reason}"
        raise Conflict("peer_document", text, url=iri, reason=str(error)) from error
