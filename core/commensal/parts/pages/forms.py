"""Fields of forms, as people fill them in. What cannot be read is refused with a problem at its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ...base.converting import read_day, read_moment, read_whole
from ...base.errors import Busy, Invalid, PluginError, Problem, Refused
from ...base.languages.catalogs import say, translate
from ...base.money import read_amount
from .visit import Visit


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
