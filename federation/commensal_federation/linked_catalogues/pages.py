"""Reads a whole catalogue: its pages, and members that it lists by address alone.

Deployed platforms name the next page by the header ``Link``, by ``hydra:next``, or by a bare ``next``. Members of LDP
containers that are not in the document are fetched one by one. All requests go to the link's own origin, within limits
for all pages together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin

from ..dfc.findings import UnreadableDocument
from ..dfc.read import LARGEST, DfcDocument, read
from .client import DfcAnswer, DfcClient
from .values import NotAnswered, origin_of

MOST_REQUESTS = 300  # for one catalogue
_LINK = re.compile(r"<([^<>]{1,2000})>\s*;([^,]{0,500})")
_NEXT = re.compile(r'\brel\s*=\s*"?(?:[^"]*\s)?next\b', re.IGNORECASE)
_NEXTS = ("hydra:next", "http://www.w3.org/ns/hydra/core#next", "next")
_MEMBERS = ("ldp:contains", "http://www.w3.org/ns/ldp#contains")
_VIEWS = ("hydra:view", "http://www.w3.org/ns/hydra/core#view", "view")


@dataclass(frozen=True, kw_only=True)
class WholeCatalogue:
    """`document` is None if nothing has changed since `etag` or `digest`. A catalogue of several answers has no tag.
    `bodies` are the answers as they came."""

    document: DfcDocument | None
    etag: str = ""
    digest: str = ""
    bodies: tuple[bytes, ...] = ()


def read_catalogue(client: DfcClient, *, etag: str = "", digest: str = "") -> WholeCatalogue:
    """Reads everything at the link's address. Raises `NotAnswered`."""
    first = client.get(client.access.url, etag=etag)
    if first.unchanged:
        return WholeCatalogue(document=None, etag=etag, digest=digest)
    answers = [first, *_following(client, first)]
    hashed = sha256(b"".join(sha256(answer.body).digest() for answer in answers)).hexdigest()
    tag = first.etag if len(answers) == 1 else ""
    if hashed == digest:
        return WholeCatalogue(document=None, etag=tag, digest=digest)
    bodies = tuple(answer.body for answer in answers)
    return WholeCatalogue(document=_together(client, answers), etag=tag, digest=hashed, bodies=bodies)


def _following(client: DfcClient, first: DfcAnswer) -> Iterator[DfcAnswer]:
    """Yields the pages after the first, then the members that no page describes."""
    requested, page, size = {first.url}, first, len(first.body)
    described, listed = set[str](), dict[str, None]()
    while True:
        raw = client.parsed(page)
        _note(raw, described, listed)
        url = _next(page, raw)
        if not url or url in requested:
            break
        page = _one_more(client, url, requested, size)
        size += len(page.body)
        yield page
    for url in listed:
        if url not in described and url not in requested and origin_of(url) == client.access.origin:
            page = _one_more(client, url, requested, size)
            size += len(page.body)
            yield page


def _one_more(client: DfcClient, url: str, requested: set[str], size: int) -> DfcAnswer:
    if len(requested) >= MOST_REQUESTS or size > LARGEST:
        text = "The catalogue at {url} is too large: link its parts, or single products."
        raise NotAnswered("too_large", text, url=client.access.url)
    requested.add(url)
    return client.get(url)


def _together(client: DfcClient, answers: list[DfcAnswer]) -> DfcDocument:
    """Joins several answers into one document; a single answer is read unchanged."""
    if len(answers) == 1:
        return client.document(answers[0])
    documents: list[object] = []
    for answer in answers:
        raw = client.parsed(answer)
        documents += raw if isinstance(raw, list) else [raw]
    try:
        return read(documents, host=client.access.host)
    except UnreadableDocument as error:
        text = "The answer of {url} is not read: {reason}"
        raise NotAnswered("no_dfc", text, url=client.access.url, reason=error.text) from error


def next_page(client: DfcClient, page: DfcAnswer) -> str:
    """Returns the address of the next page, "" on the last. Raises `NotAnswered` for an unreadable page."""
    return _next(page, client.parsed(page))


def _next(page: DfcAnswer, raw: object) -> str:
    for url, parameters in _LINK.findall(page.links):
        if _NEXT.search(parameters):
            return str(urljoin(page.url, url))
    for node in _nodes(raw):
        views = [view for name in _VIEWS if isinstance(view := node.get(name), dict)]
        for source in (node, *views):
            for name in _NEXTS:
                if url := _address(source.get(name)):
                    return str(urljoin(page.url, url))
    return ""


def _nodes(raw: object) -> Iterator[dict[str, Any]]:
    """Yields documents and the nodes of their graphs, without nested nodes."""
    for document in raw if isinstance(raw, list) else [raw]:
        if isinstance(document, dict):
            yield document
            graph = document.get("@graph")
            yield from (node for node in (graph if isinstance(graph, list) else ()) if isinstance(node, dict))


def _note(raw: object, described: set[str], listed: dict[str, None]) -> None:
    """Adds the things that a page describes, and those that its containers only name."""
    for node in _nodes(raw):
        if len(node) > 1 and isinstance(node.get("@id"), str):
            described.add(node["@id"])
        for name in _MEMBERS:
            members = node.get(name, ())
            for member in members if isinstance(members, list) else [members]:
                if isinstance(member, dict) and len(member) > 1:
                    described.add(str(member.get("@id")))
                elif url := _address(member):
                    listed[url] = None


def _address(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("@id", value.get("@value"))
    return value if isinstance(value, str) and len(value) <= 2000 else ""
