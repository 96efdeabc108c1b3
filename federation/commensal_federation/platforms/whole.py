"""Answers with whole catalogues, however large: DFC knows no pages, and no deployed platform follows any.

Ten thousand products make a document of 25 MB, which takes more than a second of processor to read and write. Platforms
ask for it again and again, Open Food Network without any condition. So a process writes one such document at a time,
and keeps the latest, compressed, by their ETags: that changes with everything that a document says (`listing_stamp`),
so what is kept is never out of date, and costs follow the changes of a catalogue, not the requests. It is sent as it is
kept to whoever reads gzip. While nothing at all is committed, a stamp is not worked out again either.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Lock

from starlette.responses import Response

from commensal import Busy, Instance, Transaction
from commensal.pages import Visit
from commensal.parts.copies import listing_stamp

from ..dfc.vocabulary import Thing
from .responses import document_response, etag_of, matches_etag, not_modified, write_document

MAX_STAMPS = 1000  # catalogues, of a hundred bytes each
MAX_KEPT = 16 * 1024 * 1024  # compressed bytes: about fifteen documents of 10,000 products, or a hundred of 1,000
PATIENCE = 5.0  # seconds that a request waits for the document of another one
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 1  # of gzip: a twentieth of the size; higher levels take several times as long and save a third of that


StampOf = Callable[[str], str]  # from the id of an enterprise to the stamp of its catalogues


@dataclass(frozen=True, kw_only=True)
class PlannedDocument:
    """What a document is to say, as one transaction sees it.

    stamp:   changes with everything that the document says and that the requested address does not
    things:  reads what it says; may be called within the transaction only
    members: a type whose things are the members of the list in DFC 2.0; None if the document is not a list
    """

    stamp: str
    things: Callable[[], Iterable[Thing]]
    members: type[Thing] | None = None


class WrittenDocuments:
    """The latest documents of one process by their ETags, and whose turn it is to write one."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._most, self._size = most, 0
        self._compressed = OrderedDict[str, bytes]()
        self._lock, self._turn = Lock(), Lock()

    def get(self, tag: str) -> bytes | None:
        """The document, compressed with gzip."""
        with self._lock:
            compressed = self._compressed.get(tag)
            if compressed is not None:
                self._compressed.move_to_end(tag)
        return compressed

    def keep(self, tag: str, content: bytes) -> bytes:
        """Keeps the document, unless it is too large for that; forgets those that were requested longest ago. Returns
        it compressed with gzip."""
        compressed = zlib.compress(content, _LEVEL, wbits=_GZIP)
        with self._lock:
            self._size += len(compressed) - len(self._compressed.pop(tag, b""))
            self._compressed[tag] = compressed
            while self._size > self._most:
                self._size -= len(self._compressed.popitem(last=False)[1])
        return compressed

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Wraps reading and writing one document. Raises `Busy` if others take too long with theirs."""
        if not self._turn.acquire(timeout=PATIENCE):
            raise Busy("Other documents are being written.")
        try:
            yield
        finally:
            self._turn.release()


def written_documents(instance: Instance) -> WrittenDocuments:
    return WrittenDocuments()


class CatalogueStamps:
    """The latest stamps of catalogues, each with the state of the database that it was read in, or an earlier one."""

    def __init__(self) -> None:
        self._stamps = OrderedDict[str, tuple[tuple[object, str], str]]()
        self._lock = Lock()

    def of(self, tx: Transaction, mark: object, enterprise_id: str) -> str:
        """The stamp, by `listing_stamp` unless nothing was committed and no hour began since. `mark` is the database's
        from before the transaction; None: it has none."""
        if mark is None:
            return listing_stamp(tx, enterprise_id)
        moment = (mark, f"{tx.now:%Y%m%d%H}")
        with self._lock:
            kept_moment, stamp = self._stamps.get(enterprise_id, (None, ""))
        if kept_moment != moment:
            stamp = listing_stamp(tx, enterprise_id)
            with self._lock:
                self._stamps[enterprise_id] = moment, stamp
                self._stamps.move_to_end(enterprise_id)
                if len(self._stamps) > MAX_STAMPS:
                    self._stamps.popitem(last=False)
        return stamp


def catalogue_stamps(instance: Instance) -> CatalogueStamps:
    return CatalogueStamps()


def answer_whole(visit: Visit, look: Callable[[Transaction, StampOf], PlannedDocument | Response]) -> Response:
    """Answers with the document of a listing: the kept one, or a new one, or 304 if the caller has it already.

    `look` checks what the caller may read, and may answer otherwise. It is called twice where a document must be
    written, since that waits for its turn outside of transactions.
    """
    documents = visit.instance.state.of(written_documents)
    with _reading(visit) as (tx, stamp_of):
        listing = look(tx, stamp_of)
        if isinstance(listing, Response):
            return listing
    tag = etag_of(visit, listing.stamp)
    if matches_etag(visit, tag):
        return not_modified(visit, tag)
    compressed = documents.get(tag)
    if compressed is not None:
        return _response(visit, compressed, tag)
    with documents.writing():
        with _reading(visit) as (tx, stamp_of):
            listing = look(tx, stamp_of)
            if isinstance(listing, Response):
                return listing
            tag = etag_of(visit, listing.stamp)
            compressed = documents.get(tag)  # of who had the turn before
            things = [] if compressed is not None else list({thing.iri: thing for thing in listing.things()}.values())
        if compressed is None:
            kind = listing.members
            members = None if kind is None else [thing.iri for thing in things if isinstance(thing, kind)]
            compressed = documents.keep(tag, write_document(visit, things, members))
    return _response(visit, compressed, tag)


@contextmanager
def _reading(visit: Visit) -> Iterator[tuple[Transaction, StampOf]]:
    mark = visit.instance.store.state_mark()
    with visit.read() as tx:
        yield tx, partial(visit.instance.state.of(catalogue_stamps).of, tx, mark)


def _response(visit: Visit, compressed: bytes, tag: str) -> Response:
    """As it is kept for programs that read gzip. Where a cookie may make it private, the core decides whether the size
    of a compressed answer would tell something."""
    headers = visit.request.headers
    if "gzip" not in headers.get("accept-encoding", "") or "cookie" in headers:
        return document_response(visit, zlib.decompress(compressed, wbits=_GZIP), tag)
    response = document_response(visit, compressed, tag)
    if response.status_code == 200:
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add_vary_header("Accept-Encoding")
    return response
