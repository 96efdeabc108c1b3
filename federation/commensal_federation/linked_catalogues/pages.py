"""Reads a whole catalogue, page by page where the platform pages, and what it lists by address alone.

Next pages are named by the header ``Link``, by ``hydra:next``, or by a bare ``next``, as deployed platforms do; members
of LDP containers that are not in the document are asked for one by one. All of it on the link's own origin, and within
limits for all pages together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin

from ..dfc.findings import Unreadable
from ..dfc.limits import LARGEST
from ..dfc.read import DfcDocument, read
from .client import DfcAnswer, DfcClient
from .errors import NotAnswered
from .values import origin_of

MOST_REQUESTS = 300  # for one catalogue
_LINK = re.compile(r"<([^<>]{1,2000})>\s*;([^,]{0,500})")
_NEXT = re.compile(r'\brel\s*=\s*"?(?:[^"]*\s)?next\b', re.IGNORECASE)
_NEXTS = ("hydra:next", "http://www.w3.org/ns/hydra/core#next", "next")
_MEMBERS = ("ldp:contains", "http://www.w3.org/ns/ldp#contains")
_VIEWS = ("hydra:view", "http://www.w3.org/ns/hydra/core#view", "view")


@dataclass(frozen=True, kw_only=True)
class WholeCatalogue:
    """`document` is None where nothing has changed since `etag`, or is not other than `digest` stands for. A catalogue
    of several answers has no tag."""

    document: DfcDocument | None
    etag: str = ""
    digest: str = ""


def read_catalogue(client: DfcClient, *, etag: str = "", digest: str = "") -> WholeCatalogue:
    """All that the link's address leads to. Raises `NotAnswered`."""
    first = client.get(client.access.url, etag=etag)
    if first.unchanged:
        return WholeCatalogue(document=None, etag=etag, digest=digest)
    answers = [first, *_following(client, first)]
    hashed = sha256(b"".join(sha256(one.body).digest() for one in answers)).hexdigest()
    tag = first.etag if len(answers) == 1 else ""
    if hashed == digest:
        return WholeCatalogue(document=None, etag=tag, digest=digest)
    return WholeCatalogue(document=_together(client, answers), etag=tag, digest=hashed)


def _following(client: DfcClient, first: DfcAnswer) -> Iterator[DfcAnswer]:
    """Pages after the first, then members that no page describes."""
    asked, page, size = {first.url}, first, len(first.body)
    described, listed = set[str](), dict[str, None]()
    while True:
        raw = client.parsed(page)
        _note(raw, described, listed)
        url = _next(page, raw)
        if not url or url in asked:
            break
        page = _one_more(client, url, asked, size)
        size += len(page.body)
        yield page
    for url in listed:
        if url not in described and url not in asked and origin_of(url) == client.access.origin:
            page = _one_more(client, url, asked, size)
            size += len(page.body)
            yield page


def _one_more(client: DfcClient, url: str, asked: set[str], size: int) -> DfcAnswer:
    if len(asked) >= MOST_REQUESTS or size > LARGEST:
        text = "The catalogue at {url} is too large: link its parts, or single products."
        raise NotAnswered("too_large", text, url=client.access.url)
    asked.add(url)
    return client.get(url)


def _together(client: DfcClient, answers: list[DfcAnswer]) -> DfcDocument:
    """As one document. A platform's single answer is read as it came."""
    if len(answers) == 1:
        return client.document(answers[0])
    documents: list[Any] = []
    for one in answers:
        raw = client.parsed(one)
        documents += raw if isinstance(raw, list) else [raw]
    try:
        return read(documents, host=client.access.host)
    except Unreadable as error:
        text = "The answer of {url} is not read: {reason}"
        raise NotAnswered("no_dfc", text, url=client.access.url, reason=error.text) from error


def next_page(client: DfcClient, page: DfcAnswer) -> str:
    """The address of the page after this one, "" on the last. Raises `NotAnswered` for what is not understood."""
    return _next(page, client.parsed(page))


def _next(page: DfcAnswer, raw: Any) -> str:
    for url, parameters in _LINK.findall(page.links):
        if _NEXT.search(parameters):
            return str(urljoin(page.url, url))
    for node in _nodes(raw):
        views = [view for name in _VIEWS if isinstance(view := node.get(name), dict)]
        for said in (node, *views):
            for name in _NEXTS:
                if url := _address(said.get(name)):
                    return str(urljoin(page.url, url))
    return ""


def _nodes(raw: Any) -> Iterator[dict[str, Any]]:
    """Documents, and the nodes of their graphs; not what is nested in those."""
    for one in raw if isinstance(raw, list) else [raw]:
        if isinstance(one, dict):
            yield one
            graph = one.get("@graph")
            yield from (node for node in (graph if isinstance(graph, list) else ()) if isinstance(node, dict))


def _note(raw: Any, described: set[str], listed: dict[str, None]) -> None:
    """Which things a page describes, and which its containers only name."""
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


def _address(said: Any) -> str:
    if isinstance(said, dict):
        said = said.get("@id", said.get("@value"))
    return said if isinstance(said, str) and len(said) <= 2000 else ""
