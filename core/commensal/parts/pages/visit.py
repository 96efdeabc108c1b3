"""A request for a page: the visitor, their language, and what they sent."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ...api.authenticate import cookie_name, session_cookie, set_cookie
from ...api.limits import throttle_codes
from ...base.converting import read_whole
from ...base.errors import PluginError
from ...hooks import specifications
from ...hooks.values import MenuItem
from ...instance import Instance
from ...people.actor import Actor
from ...storage.database import Transaction
from .cached_reads import CachedReads, UnchangedReads
from .forms import NO_MISTAKES, Mistakes, SentForm, keyed_forms
from .plugin_thread import run_beside
from .templates import Pieces, pieces, render

LANGUAGE_COOKIE = "language"
_log = structlog.get_logger("commensal.pages")


class PublicPage(HTMLResponse):
    """A page that is the same for everybody who sends nothing but a language, with an ETag."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """The argument of a page's handler. `actor` is who asks, `language` the one in which to answer.

    `form` has the fields of a POST, of a repeated field the last value; `body` is the file that the form carries, or
    the body of a page that takes something else than a form. `sent` is the form while it is answered, if it acts once.
    On a page that is shown again because its form was refused, `mistakes` says why, and `status` is the page's of HTTP.
    """

    instance: Instance
    request: Request
    actor: Actor
    language: str
    form: Mapping[str, str]
    body: bytes = b""
    sent: SentForm | None = None
    mistakes: Mistakes = NO_MISTAKES
    status: int = 200

    @property
    def here(self) -> str:
        """The path of this page with its query, without the parameter of a page that answered a form."""
        parameters = [(name, value) for name, value in parse_qsl(self.request.url.query) if name != "shown"]
        return self.request.url.path + (f"?{urlencode(parameters)}" if parameters else "")

    @property
    def was_logged_in(self) -> bool:
        """Whether the browser sends the cookie of a session that has ended. Logging out deletes the cookie."""
        name = session_cookie(self.instance.settings.base_url)
        return self.actor.person_id is None and bool(self.request.cookies.get(name))

    @property
    def path(self) -> Mapping[str, str]:
        """Parameters of the path."""
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        """Parameters of the query, without the character U+0000, which PostgreSQL cannot compare."""
        parameters = self.request.query_params
        if not any("\x00" in value for value in parameters.values()):
            return parameters
        return {name: value.replace("\x00", "") for name, value in parameters.items()}

    @property
    def form_version(self) -> int:
        """The version of the row that the form was made for, in its field `version`; 0, which no row has, else."""
        return read_whole(self.form.get("version", "")) or 0

    def cookie(self, name: str) -> str:
        """The value of a cookie that `set_cookie` has set; "" if the browser sent none."""
        return self.request.cookies.get(cookie_name(self.instance.settings.base_url, name), "")

    def set_cookie(self, response: Response, name: str, value: str, *, days: int) -> None:
        """Sets a cookie for `days`, for this host only and not readable by scripts; over HTTPS as ``__Host-<name>``."""
        set_cookie(response, self.instance.settings.base_url, name, value, days=days)

    def read(self) -> AbstractContextManager[Transaction]:
        return self.instance.store.read()

    def unchanged_reads(self) -> UnchangedReads:
        """What may be kept of what this visit reads, for the next one; ask for it before the transaction."""
        reads: CachedReads = self.request.app.state.cached_reads
        return reads.of_this_moment()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that writes; the first one for a form that acts once claims its key."""
        claims = self.sent is not None and not self.sent.is_claimed
        with self.instance.store.write() as tx:
            if self.sent is not None and claims:
                self.sent.claim(tx)
            yield tx
        if self.sent is not None and claims:
            self.sent.is_claimed = True

    def guessing(self, codes: Sequence[str]) -> AbstractContextManager[None]:
        """Limits guesses: use it around work with codes. Raises `TooMany` after too many wrong ones of one address."""
        return throttle_codes(self.request.app.state.rates, self.actor, codes)

    def render(
        self, template: str, /, *, status: int = 0, public: bool = False, keyed: bool = False, **context: object
    ) -> Response:
        """The template as a response; it also gets the visit, its mistakes, the menu and the instance's name. `status`:
        0 for the visit's. `public`: as for `as_page`. `keyed`: its forms act once, however often they are sent."""
        common = {
            "visit": self,
            "mistakes": self.mistakes,
            "menu": self._menu(),
            "instance_name": self.instance.settings.name,
        }
        status = status or self.status
        html = render(self.instance, template, self.language, {**common, **context})
        return self.as_page(keyed_forms(html, self.instance.ids.secret()) if keyed else html, status, public=public)

    def as_page(self, html: str, status: int = 200, *, public: bool = False) -> Response:
        """A response with HTML for this visitor only, with the headers of every page.

        public: the page holds nothing personal if nobody is logged in and no basket is known. Then browsers may keep
                it, and ask each time whether it has changed (RFC 9110, section 13.1.2), and all who send nothing but a
                language get the same (`CachedPages`): it depends on its address, the language, the database and the
                clock alone. Never for an address that is a secret itself.
        """
        headers = {"Content-Language": self.language, "Vary": "Cookie, Accept-Language", "Cache-Control": "no-store"}
        if not (public and status == 200 and self.is_nobody):
            return HTMLResponse(html, status, headers)
        body = html.encode()
        tag = f'W/"{sha256(body).hexdigest()[:20]}"'
        return PublicPage(body, status, {**headers, "Cache-Control": "private, no-cache", "ETag": tag})

    @property
    def is_nobody(self) -> bool:
        """Whether a GET sent nothing that tells the visitor from others but their language."""
        if self.request.method != "GET" or self.actor.person_id is not None or self.actor.client:
            return False
        return set(self.request.cookies) <= {cookie_name(self.instance.settings.base_url, LANGUAGE_COOKIE)}

    def pieces(self, template: str, what: str, /, **shared: Hashable) -> Pieces:
        """Renders a part of a page for each of many values, with a cache for equal values. The template gets the value
        under the name `what`, and uses nothing else but what all parts have `shared`. Values must be hashable, like
        frozen dataclasses."""
        return pieces(self.instance, template, self.language, what, shared)

    def address(self, path: str) -> str:
        """The full URL of a page of this site, for links from elsewhere."""
        return f"{self.instance.settings.base_url.rstrip('/')}{path}"

    def redirect(self, url: str) -> Response:
        """A redirect (303) to another page of this site. A URL of another site is replaced by the front page."""
        return RedirectResponse(local_url(url), status_code=303)

    def _menu(self) -> Sequence[MenuItem]:
        """The menu items that plugins return in time. Every page has the menu, pages of errors too, so no page may wait
        for a plugin that hangs."""
        hook, hooks, items = specifications.menu_items, self.instance.hooks, list[MenuItem]()

        def ask() -> None:
            plugins, plugin, left = hooks.implementing(hook), "", 0
            # Again after a failure, which may have cost the transaction; not if no transaction could begin.
            while plugins and len(plugins) != left:
                left = len(plugins)
                try:
                    with self.read() as tx:
                        while plugins:
                            plugin = plugins.pop(0)
                            person_id, language = self.actor.person_id, self.language
                            answers = hooks.each(hook, [plugin], tx=tx, person_id=person_id, language=language)
                            items.extend(item for answer in answers for item in answer.value or ())
                except PluginError:
                    continue  # the dispatcher of hooks has logged it
                except Exception as error:  # the page goes without the item, and the log has the traceback
                    _log.error("menu failed", plugin=plugin, exc_info=error)

        run_beside(ask, hook.contract.timeout)
        return sorted(items, key=lambda item: item.position)


def local_url(url: str) -> str:
    """The URL if it is one of this site, else the front page: a crafted link must not redirect elsewhere."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc or not url.startswith("/") or url.startswith(("//", "/\\")) or "\\" in url:
        return "/"
    return url if url.isprintable() else "/"
