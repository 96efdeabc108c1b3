"""A person's request for a page, understood: who they are, which language they read, what they sent."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ...base.errors import PluginError
from ...hooks import specifications
from ...hooks.bounds import on_taken_away
from ...hooks.values import MenuItem
from ...instance import Instance
from ...storage.database import Transaction
from ...trade.people.actor import Actor
from ..api.code_throttle import throttle_codes
from ..api.cookies import cookie_name, session_cookie, set_cookie
from .templates import Pieces, pieces, render

_log = structlog.get_logger("commensal.pages")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a page's handler gets. `form` holds the fields of a POST, of repeated ones the last; `body` what was sent
    where the page takes something else than a form."""

    instance: Instance
    request: Request
    actor: Actor
    language: str
    form: Mapping[str, str]
    body: bytes = b""

    @property
    def here(self) -> str:
        """The address of this page on its site, with its query; without the mark of a page that answered a form."""
        kept = [(name, value) for name, value in parse_qsl(self.request.url.query) if name != "shown"]
        return self.request.url.path + (f"?{urlencode(kept)}" if kept else "")

    @property
    def was_logged_in(self) -> bool:
        """Whether the browser brings a session that has ended: who logs out has no cookie of it any more."""
        name = session_cookie(self.instance.settings.base_url)
        return self.actor.person_id is None and bool(self.request.cookies.get(name))

    @property
    def path(self) -> Mapping[str, str]:
        """Parameters of the address."""
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def cookie(self, name: str) -> str:
        """The value of a cookie that `set_cookie` has set; empty where the browser sent none."""
        return self.request.cookies.get(cookie_name(self.instance.settings.base_url, name), "")

    def set_cookie(self, response: Response, name: str, value: str, *, days: int) -> None:
        """Sets a cookie for this host alone, which no script reads: over HTTPS as ``__Host-<name>``."""
        set_cookie(response, self.instance.settings.base_url, name, value, days=days)

    def read(self) -> AbstractContextManager[Transaction]:
        return self.instance.store.read()

    def write(self) -> AbstractContextManager[Transaction]:
        return self.instance.store.write()

    def guessing(self, codes: Sequence[str]) -> AbstractContextManager[None]:
        """Around what is asked with codes that can be guessed: too many wrong ones from one address are `TooMany`."""
        return throttle_codes(self.request.app.state.rates, self.actor.address, codes)

    def render(self, template: str, /, *, status: int = 200, **context: Any) -> Response:
        """The template with what every page has: the visit, the menu, the instance's name."""
        every = {"visit": self, "menu": self._menu(), "instance_name": self.instance.settings.name}
        return self.as_page(render(self.instance, template, self.language, {**every, **context}), status)

    def as_page(self, html: str, status: int = 200) -> Response:
        """HTML that is this visitor's alone, with the headers that every page has."""
        headers = {"Content-Language": self.language, "Vary": "Cookie, Accept-Language", "Cache-Control": "no-store"}
        return HTMLResponse(html, status, headers)

    def pieces(self, template: str, what: str, /, **shared: Hashable) -> Pieces:
        """Parts of a page that are shown again and again, one for each of what the template calls `what`, and each made
        once for equal values: for a template that uses nothing else but what all `shared`. Values must be hashable, as
        frozen dataclasses of such are."""
        return pieces(self.instance, template, self.language, what, shared)

    def address(self, path: str) -> str:
        """The full address of a page of this site, for who comes back from elsewhere."""
        return f"{self.instance.settings.base_url.rstrip('/')}{path}"

    def redirect(self, url: str) -> Response:
        """See another page of this site (303). An address of another site becomes the front page."""
        return RedirectResponse(local(url), status_code=303)

    def _menu(self) -> Sequence[MenuItem]:
        """Of what each plugin answers in time, asked once: the menu stands on every page, those that tell of an error
        too, and none of them waits for a plugin that hangs."""
        hook, hooks, items = specifications.menu_items, self.instance.hooks, list[MenuItem]()

        def ask() -> None:
            on_taken_away.set(None)  # this page is not given up
            for plugin in hooks.implementing(hook):
                try:
                    with self.read() as tx:
                        person_id, language = self.actor.person_id, self.language
                        answers = hooks.each(hook, [plugin], tx=tx, person_id=person_id, language=language)
                        items.extend(one for answer in answers for one in answer.value or ())
                except PluginError:
                    continue  # it is noted where hooks are called
                except Exception as error:  # the edge of a thread: the page does without, and the log has it
                    _log.error("menu failed", plugin=plugin, exc_info=error)

        asking = Thread(target=copy_context().run, args=(ask,), daemon=True, name="menu")
        asking.start()
        asking.join(hook.contract.timeout)
        return sorted(items, key=lambda item: item.position)


def local(url: str) -> str:
    """The address if it is one of this site, else the front page: nobody is sent elsewhere by a crafted link."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc or not url.startswith("/") or url.startswith(("//", "/\\")) or "\\" in url:
        return "/"
    return url if url.isprintable() else "/"
