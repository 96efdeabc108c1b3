"""What pages say about errors: messages beside the fields of a form, and the text and status of an error page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...base.errors import Busy, PluginError, Problem, Refused
from ...base.languages.catalogs import say, translate
from .visit import Visit


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
