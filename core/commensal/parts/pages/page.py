"""Makes a page of a plain function, which runs in a thread, gets a `Visit`, and returns a response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...api.authenticate import API_TOKEN, anonymous_actor, authenticate, cookie_name, is_anonymous
from ...api.handler import RIGHTS_LAST
from ...api.limits import Rates
from ...api.plugin_threads import LoopRoute, run_in_thread
from ...api.waiting_files import answer_or_want, answer_with_files, files_of, read_file
from ...audit.trail import Acting, acting, acting_for
from ...base.converting import read_whole
from ...base.errors import BeingRead, Busy, CommensalError, Invalid, NotFound, PluginError, Problem, Unavailable
from ...base.file_readers.reading import FileWanted, RequestFiles
from ...base.languages.catalogs import LANGUAGES, best_language
from ...base.logs import current_plugin
from ...enterprises.plugins import offered_plugins, refuse_where_off
from ...instance import Instance
from ...people.actor import Actor
from ...people.sessions import keep_alive
from .being_read import PARAMETER, SOON, Awaited, AwaitedAnswers, look_again
from .cached_pages import CachedPages
from .forms import answer_once
from .other_origins import allow_every_origin, preflight_response
from .post_redirect_get import find_shown_page, redirect_to_shown_page
from .visit import LANGUAGE_COOKIE, Visit

Handler = Callable[[Visit], Response]
OnError = Callable[[Visit, Exception], Response]
Recognise = Callable[[Instance, str], str | None]

_SAFE = ("GET", "HEAD")
_FIELDS = 1000  # per form
_LARGEST = 1024 * 1024  # bytes of a form
_log = structlog.get_logger("commensal.pages")


def page(
    path: str,
    handler: Handler,
    *,
    on_error: OnError,
    methods: tuple[str, ...] = ("GET",),
    limit: str = "",
    largest: int = 0,
    largest_file: int = 0,
    recognise: Recognise | None = None,
    where_off: bool = False,
    every_origin: bool = False,
) -> Route:
    """A Starlette route for `handler`. Its errors are passed to `on_error`, which answers in the plugin's own layout.

    limit:     the rate limit; by default "reads" or "writes" by the method, else "logins" (where only responses of 400
               and more stay counted) or "signups"
    largest:   the largest body, in bytes, of a page that takes something else than a form; it is `visit.body`
    largest_file: the largest file, in bytes, that a form may carry; it is `visit.body`. By default it carries none
    recognise: identifies a bearer token before the core does. Returns the name of a foreign client, or None for a token
               of this instance; raises `Unauthorised` for an invalid one. It runs outside of transactions. Such a page
               also takes a token of this instance in the header X-Api-Token
    where_off: with `{enterprise}` in its path, it also answers for enterprises that have not enabled the plugin;
               others are answered 404 there
    every_origin: scripts of all sites may read it, errors included; only for a page that is public and changes nothing
    """
    if every_origin and set(methods) - set(_SAFE):
        raise ValueError(f"{path} changes something, so it is not for scripts of other sites.")
    route = _Page(handler, on_error, limit, largest, largest_file, recognise, where_off)
    if not every_origin:
        return LoopRoute(path, route.run, methods=list(methods), name=handler.__name__)
    return LoopRoute(path, route.run_for_every_origin, methods=[*methods, "OPTIONS"], name=handler.__name__)


@dataclass(frozen=True)
class _Page:
    """The way of a request through a page; the fields are the arguments of `page`."""

    handler: Handler
    on_error: OnError
    limit: str
    largest: int
    largest_file: int
    recognise: Recognise | None
    where_off: bool

    async def run_for_every_origin(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return preflight_response()
        return allow_every_origin(await self.run(request))

    async def run(self, request: Request) -> Response:
        try:
            if request.method in _SAFE:
                if PARAMETER in request.query_params:
                    return await self._answer_awaited(request)
                return await run_in_thread(lambda: self._answer(self._admit(request)))
            admitted_at = request.app.state.instance.clock.now()
            visit = await run_in_thread(self._admit, request)
            if isinstance(visit, Response):
                return visit
            try:
                if self.largest:
                    visit = replace(visit, body=await _read_body(request, self.largest))
                elif request.method == "POST":
                    form, file = await _read_form(request, self.largest_file)
                    visit = replace(visit, form=form, body=file)
            except CommensalError as refusal:
                return await run_in_thread(self._answer_error, visit, refusal)
            send = partial(run_in_thread, self._answer_sent, visit, admitted_at)
            files = files_of(request, visit.actor)
            try:
                return await answer_or_want(files, send)
            except FileWanted as file_wanted:
                return await self._answer_later(visit, files, file_wanted, send)
        except PluginError as error:  # the plugin hangs, and its thread was abandoned
            return await run_in_thread(self.on_error, _anonymous_visit(request), error)

    async def _answer_later(
        self, visit: Visit, files: RequestFiles, file_wanted: FileWanted, send: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Answers a form once its file was read; if that takes long, by a page that waits for it."""

        async def answer() -> Response:
            try:
                await read_file(files, file_wanted.work)
                return await answer_with_files(files, send)
            except Exception as error:  # as in `_admit`
                return await run_in_thread(self._answer_error, visit, error)

        answering = asyncio.create_task(answer())
        await asyncio.wait({answering}, timeout=SOON)
        if answering.done():
            return answering.result()
        awaited = Awaited(answering, files, visit.actor.session_hash)
        answers: AwaitedAnswers = visit.request.app.state.awaited_answers
        return answers.keep(visit.instance.ids.secret(), awaited, visit.request.url.path)

    async def _answer_awaited(self, request: Request) -> Response:
        """The answer to a form whose file was being read, or a page that waits for it."""
        visit = await run_in_thread(self._admit, request)
        if isinstance(visit, Response):
            return visit
        answers: AwaitedAnswers = request.app.state.awaited_answers
        try:
            return answers.take(request, visit.actor.session_hash)
        except CommensalError as why:
            response = await run_in_thread(self._answer_error, visit, why)
            return look_again(request, response) if isinstance(why, BeingRead) else response

    def _admit(self, request: Request) -> Visit | Response:
        """Counts the request and identifies the visitor, before any of the body is read."""
        rates: Rates = request.app.state.rates
        visit = _anonymous_visit(request)
        try:
            limit = self.limit or ("reads" if request.method in _SAFE else "writes")
            rates.count(limit, visit.actor.address)
            if "\x00" in request.scope["path"]:
                raise NotFound  # PostgreSQL can look up no text with it
            return _make_visit(visit.instance, request, _identify(visit.instance, request, self.recognise))
        except Exception as error:  # the visitor gets a page, the operator the traceback
            return self._answer_error(visit, error)

    def _answer(self, visit: Visit | Response) -> Response:
        if isinstance(visit, Response):
            return visit
        try:
            cached_pages: CachedPages = visit.request.app.state.cached_pages
            return cached_pages.answer(visit, lambda: self._make(visit))
        except Exception as error:  # the visitor gets a page, the operator the traceback
            return self._answer_error(visit, error)

    def _answer_sent(self, visit: Visit, admitted_at: datetime) -> Response:
        """Answers once the body has come. If that took long, the visitor is identified again: their session may have
        been ended meanwhile."""
        if abs(visit.instance.clock.now() - admitted_at) >= RIGHTS_LAST:
            try:
                visit = replace(visit, actor=_identify(visit.instance, visit.request, self.recognise))
            except Exception as error:  # as in `_admit`
                return self._answer_error(visit, error)
        return self._answer(visit)

    def _make(self, visit: Visit) -> Response:
        shown_page = find_shown_page(visit)
        if shown_page is not None:
            return shown_page
        plugin, part = current_plugin()
        if plugin and not self.where_off:
            _refuse_where_off(visit, plugin)
        attribution = visit.instance.hooks.running(plugin, part) if plugin else nullcontext()
        with attribution, acting(_author(visit, self.handler)):
            answer = answer_once(visit, self.handler)
        if answer.status_code < 400:
            visit.request.app.state.rates.note_success(self.limit, visit.actor.address)
        return redirect_to_shown_page(visit, answer)

    def _answer_error(self, visit: Visit, error: Exception) -> Response:
        if isinstance(error, Unavailable) or not isinstance(error, CommensalError):
            _log.error("page failed", exc_info=error)
        response = redirect_to_shown_page(visit, self.on_error(visit, error))
        if isinstance(error, Busy):
            response.headers["Retry-After"] = str(error.retry_after)
        return response


def _refuse_where_off(visit: Visit, plugin: str) -> None:
    """Raises `NotFound` for a page of an enterprise, by its path, that has not enabled the plugin."""
    enterprise_id = visit.request.path_params.get("enterprise")
    if enterprise_id is None or plugin not in offered_plugins(visit.instance.hooks):
        return
    with visit.instance.store.read() as tx:
        refuse_where_off(tx, enterprise_id, plugin)


async def _read_body(request: Request, largest: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise Invalid([Problem("too_large", "This is larger than {most} bytes.", values={"most": largest})])
        parts.append(part)
    return b"".join(parts)


async def _read_form(request: Request, largest_file: int) -> tuple[dict[str, str], bytes]:
    """Returns the form's fields, and the content of its file; empty if there is none."""
    length = read_whole(request.headers.get("content-length", ""))
    if length is None or length > _LARGEST + largest_file:
        text = "This form is too large."
        if largest_file:
            text = "This file is too large: {most} MB are the most. Go back, and choose a smaller one."
        raise Invalid([Problem("form", text, values={"most": largest_file // 1_000_000})])
    async with request.form(max_files=1 if largest_file else 0, max_fields=_FIELDS) as form:
        fields = {name: value.replace("\x00", "") for name, value in form.items() if isinstance(value, str)}
        files = [await value.read() for value in form.values() if not isinstance(value, str)]
    return fields, files[0] if files else b""


def _identify(instance: Instance, request: Request, recognise: Recognise | None) -> Actor:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if recognise is not None and kind.lower() == "bearer":
        client = recognise(instance, secret.strip())
        if client is not None:
            return Actor(client=client, address=_address(request))
    api_token = request.headers.get(API_TOKEN) if recognise is not None else None
    if not api_token and is_anonymous(request, instance.settings.base_url):
        return anonymous_actor(request)
    with instance.store.read() as tx:
        actor = authenticate(tx, request, instance.settings, api_token=api_token)
    keep_alive(instance.store, actor, tx.now)
    return actor


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _anonymous_visit(request: Request) -> Visit:
    """The visit before the visitor is identified."""
    return _make_visit(request.app.state.instance, request, anonymous_actor(request))


def _author(visit: Visit, handler: Handler) -> Acting:
    """Who changes what this page changes: for the enterprise that its path names, or else for themselves."""
    return acting_for(visit.actor, f"page {handler.__name__}", visit.path.get("enterprise"))


def _make_visit(instance: Instance, request: Request, actor: Actor) -> Visit:
    chosen = request.cookies.get(cookie_name(instance.settings.base_url, LANGUAGE_COOKIE)) or actor.language
    header = request.headers.get("accept-language", "")
    language = chosen if chosen in LANGUAGES else best_language(header, default=instance.settings.language)
    return Visit(instance=instance, request=request, actor=actor, language=language, form={})
