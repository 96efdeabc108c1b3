"""Turns a plain function into a page: it runs in a thread, gets a `Visit`, and returns a response."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..api.authenticate import authenticate
from ..api.rates import Rates
from ..audit.acting import acting, acting_for
from ..errors import CommensalError, Invalid, Problem
from ..instance import Instance
from ..languages.catalogs import LANGUAGES, best_language
from ..people.sessions import keep_alive
from .visit import Visit

Handler = Callable[[Visit], Response]
OnError = Callable[[Visit, Exception], Response]

LANGUAGE_COOKIE = "language"
_FIELDS = 1000  # of one form
_LARGEST = 1024 * 1024  # bytes of one form
_log = structlog.get_logger("commensal.pages")


def page(
    path: str, handler: Handler, *, on_error: OnError, methods: tuple[str, ...] = ("GET",), limit: str = ""
) -> Route:
    """A Starlette route for `handler`. Whatever it raises goes to `on_error`, which answers in the plugin's own look.

    `limit` names the rate that applies: "reads" or "writes" by the method, or "logins".
    """

    async def run(request: Request) -> Response:
        form: dict[str, str] = {}
        refused: Invalid | None = None
        if request.method == "POST":
            try:
                form = await _form(request)
            except Invalid as error:
                refused = error
        return await run_in_threadpool(_serve, request, form, refused)

    def _serve(request: Request, form: dict[str, str], refused: Invalid | None) -> Response:
        instance: Instance = request.app.state.instance
        visit = _visit(instance, request, form)
        try:
            rates: Rates = request.app.state.rates
            rates.count(limit or ("writes" if request.method == "POST" else "reads"), visit.actor.address)
            if refused is not None:
                raise refused
            with acting(acting_for(visit.actor, f"page {handler.__name__}")):
                return handler(visit)
        except Exception as error:  # the edge: the visitor gets a page, the operator the traceback
            if not isinstance(error, CommensalError):
                _log.error("page failed", exc_info=error)
            return on_error(visit, error)

    return Route(path, run, methods=list(methods), name=handler.__name__)


async def _form(request: Request) -> dict[str, str]:
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _LARGEST:
        raise Invalid([Problem("form", "This form is too large.")])
    async with request.form(max_files=0, max_fields=_FIELDS) as form:
        return {name: value.replace("\x00", "") for name, value in form.items() if isinstance(value, str)}


def _visit(instance: Instance, request: Request, form: dict[str, str]) -> Visit:
    with instance.store.read() as tx:
        actor = authenticate(tx, request, instance.settings.base_url)
    keep_alive(instance.store, actor, tx.now)
    chosen = request.cookies.get(LANGUAGE_COOKIE) or actor.language
    header = request.headers.get("accept-language", "")
    language = chosen if chosen in LANGUAGES else best_language(header, default=instance.settings.language)
    return Visit(instance=instance, request=request, actor=actor, language=language, form=form)
