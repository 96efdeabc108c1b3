"""Keeps pages that are the same for everybody while nothing in the database changes, and for a second at most.

When a sale opens, hundreds of people look at its page within minutes. Whoever sends no cookie gets the page that the
last of them got, if nothing at all was committed since: no order, no price, no setting. The second is for what depends
on the clock alone, such as the time that is left to order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from starlette.responses import Response

from ...base.clock import Clock
from ...storage.database import Mark, Store
from .visit import PublicPage, Visit

_LASTS = timedelta(seconds=1)
_ROOM = 8 * 1024 * 1024  # bytes of all kept pages; that of a sale of 300 products has 220,000
_Key = tuple[str, bytes, str]  # path and query as they were sent, and the language


@dataclass(frozen=True)
class _StoredPage:
    body: bytes
    headers: list[tuple[bytes, bytes]]
    mark: Mark
    made_at: datetime

    def is_current(self, mark: Mark, now: datetime) -> bool:
        return self.mark == mark and timedelta(0) <= now - self.made_at < _LASTS


class CachedPages:
    """The kept pages of one process."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._lock = store, clock, Lock()
        self._pages = OrderedDict[_Key, _StoredPage]()
        self._size = 0

    def answer(self, visit: Visit, make: Callable[[], Response]) -> Response:
        """A kept page for this visit, or else what `make` returns; 304 if the visitor's browser has the same page."""
        mark = self._store.state_mark() if visit.is_nobody else None
        if mark is None:
            return _unless_known(visit, make())
        sent = visit.request.scope  # `request.url` would leave out line ends and tabs, so that two paths had one page
        key, now = (sent["path"], sent["query_string"], visit.language), self._clock.now()
        stored = self._find(key)
        if stored is not None and stored.is_current(mark, now):
            page = PublicPage(stored.body)
            page.raw_headers = list(stored.headers)
            return _unless_known(visit, page)
        response = make()
        if isinstance(response, PublicPage) and "set-cookie" not in response.headers:
            self._keep(key, _StoredPage(bytes(response.body), list(response.raw_headers), mark, now))
        return _unless_known(visit, response)

    def _find(self, key: _Key) -> _StoredPage | None:
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
            return self._pages.get(key)

    def _keep(self, key: _Key, page: _StoredPage) -> None:
        with self._lock:
            replaced = self._pages.pop(key, None)
            self._size += _size(key, page) - (_size(key, replaced) if replaced else 0)
            self._pages[key] = page
            while self._size > _ROOM:
                oldest, dropped = self._pages.popitem(last=False)
                self._size -= _size(oldest, dropped)


def _size(key: _Key, page: _StoredPage) -> int:
    return len(page.body) + sum(map(len, key))


def _unless_known(visit: Visit, response: Response) -> Response:
    """The response; without its body if the visitor's browser has the same page already."""
    if not isinstance(response, PublicPage):
        return response
    if response.headers["etag"] not in visit.request.headers.get("if-none-match", "").split(", "):
        return response
    unchanged = Response(status_code=304)
    unchanged.raw_headers = [
        (name, value) for name, value in response.raw_headers if name not in (b"content-length", b"content-type")
    ]
    return unchanged
