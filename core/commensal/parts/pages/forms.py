"""Forms: their fields as people fill them in, the page on which a refusal is shown, and acting only once.

What cannot be read is refused with a problem at its field. A page that is rendered with `keyed` has a key of its own in
each of its forms. The first transaction that writes for a form claims its key; when the handler has answered with a
redirect, the address is stored. The same form with the same content, sent again, writes nothing and is led there. Any
other answer, such as a page of mistakes, frees the key.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from starlette.responses import Response

from ...base.converting import read_day, read_moment, read_whole
from ...base.errors import Busy, CommensalError, Conflict, Invalid, PluginError, Problem, Refused
from ...base.languages.catalogs import say, translate
from ...base.money import read_amount
from ...hooks.values import Screen
from ...storage.database import Transaction
from ...storage.idempotency import StoredAnswer, claim_key, free_key, request_hash, store_answer, stored_answer

if TYPE_CHECKING:
    from .visit import Visit

P = ParamSpec("P")
Answer = TypeVar("Answer", bound=Screen | Response)
Page = TypeVar("Page", bound=Screen | Response)
Fields = Container[str] | Callable[["Visit", str], bool]  # their names, or what tells whether a name is one of them

FIELD = "form_key"
_FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')
_LASTS, _PAUSE = 2.0, 0.02  # seconds to wait for the answer to the first click


def whole_field(form: Mapping[str, str], name: str, *, digits: int = 9) -> int | None:
    """A whole number, 0 or more, of at most so many digits; None for an empty field. Raises `Invalid`."""
    text = form.get(name, "").strip()
    number = read_whole(text, digits)
    if text and number is None:
        raise Invalid([Problem("not_a_number", "Give a whole number.", f"/{name}")])
    return number


def amount_field(form: Mapping[str, str], name: str, currency: str) -> int:
    """An amount in minor units of the currency, as people write it. Raises `Invalid`, for an empty field too."""
    amount = read_amount(form.get(name, "").strip(), currency)
    if isinstance(amount, Problem):
        raise Invalid([Problem(amount.code, amount.text, f"/{name}", amount.values)])
    return amount


def day_field(form: Mapping[str, str], name: str) -> date:
    """A day. Raises `Invalid`, for an empty field too."""
    try:
        return read_day(form.get(name, "").strip())
    except ValueError:
        raise Invalid([Problem("day", "Give a day, like 2026-06-30.", f"/{name}")]) from None


def moment_field(form: Mapping[str, str], name: str, zone: ZoneInfo) -> datetime:
    """A day and a time on the clocks of the zone. Raises `Invalid`, for an empty field too."""
    try:
        return read_moment(form.get(name, "").strip()).replace(tzinfo=zone)
    except ValueError:
        text = "Give a day and a time, like 2026-06-04 18:00."
        raise Invalid([Problem("moment", text, f"/{name}")]) from None


# What pages say about errors: messages beside the fields of a form, and the text and status of an error page.


@dataclass(frozen=True)
class Mistakes:
    """Messages about mistakes in a form: in general, and by field."""

    general: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.general or self.fields)


NO_MISTAKES = Mistakes()
NOTHING_ASKED: Mapping[str, str] = {}


def mistakes(
    visit: Visit, error: Refused, fields: Callable[[str], bool] = bool, *, asks: Mapping[str, str] = NOTHING_ASKED
) -> Mistakes:
    """The error's problems as messages, each at the field that its pointer names (``/email``), if the form has it.

    `asks` are sentences, in the visitor's language, that say what to type into a field that was left empty, by its
    name: *Say your name.*
    """
    general, by_field = [], dict[str, str]()
    for problem in error.problems:
        name, message = problem.where.removeprefix("/"), say(visit.language, problem)
        if problem.code == "required":
            message = asks.get(name, message)
        if name and fields(name):
            by_field[name] = f"{by_field[name]} {message}" if name in by_field else message
        elif message not in general:
            general.append(message)
    return Mistakes(tuple(general) if error.problems else (say(visit.language, error),), by_field)


def status_of(error: Refused) -> int:
    """The HTTP status of a form that is shown again. Not 401, for which browsers ask for a password themselves."""
    return 422 if error.status in (401, 412) else error.status


def any_field(visit: Visit, name: str) -> bool:
    """Of forms whose template looks for each mistake under the name that its pointer has."""
    return True


def with_mistakes(
    visit: Visit, error: Refused, fields: Fields | None = None, mistakes_of: Callable[..., Mistakes] = mistakes
) -> Visit:
    """The visit with which a form that was refused is shown again, as `on_refusal` does it."""
    names = visit.form if fields is None else fields
    is_field = partial(names, visit) if callable(names) else names.__contains__
    return replace(visit, mistakes=mistakes_of(visit, error, is_field), status=status_of(error))


def on_refusal(
    page: Callable[..., Page],
    fields: Fields | None = None,
    *,
    mistakes_of: Callable[..., Mistakes] = mistakes,
    **shown: Any,
) -> Callable[[Callable[Concatenate[Visit, P], Answer]], Callable[Concatenate[Visit, P], Answer | Page]]:
    """Decorates what answers a form: if it is refused, `page` is shown again, which takes the same arguments and
    `shown`.

    That page has the status of the refusal, and its template the `mistakes`: each at the field that its pointer names,
    if that is one of the `fields`, by default those that were sent. What was typed is in `visit.form`.
    """

    def decorate(answer: Callable[Concatenate[Visit, P], Answer]) -> Callable[Concatenate[Visit, P], Answer | Page]:
        @wraps(answer)
        def answer_or_show_again(visit: Visit, /, *args: P.args, **kwargs: P.kwargs) -> Answer | Page:
            try:
                return answer(visit, *args, **kwargs)
            except Refused as error:
                visit = with_mistakes(visit, error, fields, mistakes_of)
            again = page(visit, *args, **kwargs, **shown)
            if isinstance(again, Screen):
                return replace(again, context={"mistakes": visit.mistakes, **again.context}, status=visit.status)
            return again

        return answer_or_show_again

    return decorate


def explain(visit: Visit, error: Exception) -> tuple[str, int, list[str]]:
    """The text, the HTTP status and the problems for the page of an error."""
    language = visit.language
    if isinstance(error, Refused):
        return say(language, error), error.status, [say(language, problem) for problem in error.problems]
    if isinstance(error, Busy):
        text = "We cannot answer right now. Nothing was done; please try again in a moment."
        return translate(language, text), 503, []
    if isinstance(error, PluginError):
        problem = Problem("plugin", "The extension {plugin} failed. Nothing was done.", values={"plugin": error.plugin})
        return say(language, problem), 502, []
    return translate(language, "Something went wrong on our side. Nothing was done."), 500, []


# Forms that act once, however often they are sent: a double click makes one thing.


class SentBefore(CommensalError):
    """The form was sent before, and that has written."""


class SentForm:
    """A form with its key, while it is answered."""

    def __init__(self, actor: str, path: str, form: Mapping[str, str], file: bytes) -> None:
        content = msgspec.json.encode(sorted(form.items()))
        self.actor = actor
        self.digest = request_hash("POST", path, content + hashlib.sha256(file).digest())
        self.is_claimed = False  # by a transaction that is committed

    def claim(self, tx: Transaction) -> None:
        """Claims the key. Waits while another transaction does so. Raises `SentBefore`."""
        if claim_key(tx, self.actor, self.digest, self.digest) is not None:
            raise SentBefore


def keyed_forms(html: str, key: str) -> str:
    """The page with the key in a hidden field of each form that is posted."""
    return _FORM.sub(rf'\g<0><input type="hidden" name="{FIELD}" value="{key}">', html)


def answer_once(visit: Visit, handler: Callable[[Visit], Response]) -> Response:
    """What `handler` answers to a form without a key, or one that was not sent before; else the redirect of the first
    time. Raises `Conflict` while the first is still being answered after two seconds."""
    if visit.request.method != "POST" or not visit.form.get(FIELD):
        return handler(visit)
    url = visit.request.url
    sent = SentForm(visit.actor.key, f"{url.path}?{url.query}", visit.form, visit.body)
    leads_to = ""
    try:
        answer = handler(replace(visit, sent=sent))
        leads_to = answer.headers.get("location", "")
    except SentBefore:
        address = _first_address(visit, sent)
        return visit.redirect(address) if address else answer_once(visit, handler)
    finally:
        if sent.is_claimed:
            _settle(visit, sent, leads_to)
    return answer


def _settle(visit: Visit, sent: SentForm, leads_to: str) -> None:
    """Stores where the form leads; without an address it may be sent again. What was done stands if that fails."""
    with suppress(CommensalError), visit.instance.store.write() as tx:
        if leads_to:
            store_answer(tx, sent.actor, sent.digest, StoredAnswer(303, {"location": leads_to}, ""))
        else:
            free_key(tx, sent.actor, sent.digest)


def _first_address(visit: Visit, sent: SentForm) -> str:
    """Where the form led the first time; "" if that has written nothing that stays."""
    until = time.monotonic() + _LASTS
    while time.monotonic() < until:
        with visit.read() as tx:
            answer = stored_answer(tx, sent.actor, sent.digest)
        if answer is None:
            return ""
        if answer.headers:
            return answer.headers["location"]
        time.sleep(_PAUSE)  # the other thread, or process, is about to answer
    raise Conflict("being_done", "This is being done already. Look again in a moment.")
