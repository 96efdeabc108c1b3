"""Fields for a text in each language that the instance speaks, named ``<text>/<language>``."""

from __future__ import annotations

from collections.abc import Mapping

from commensal import LANGUAGES
from commensal.pages import Visit


def fields_of(text: str) -> list[str]:
    """The names of all fields of a text."""
    return [f"{text}/{language}" for language in LANGUAGES]


def fields_with(text: str, texts: Mapping[str, str]) -> dict[str, str]:
    """What stands in the fields of a text whose `texts` are by language."""
    return {f"{text}/{language}": texts.get(language, "") for language in LANGUAGES}


def typed_texts(visit: Visit, text: str) -> dict[str, str]:
    """What was typed into the fields of a text that the form has."""
    return {name: visit.form[name].replace("\r", "").strip() for name in fields_of(text) if name in visit.form}


def texts_in(typed: Mapping[str, str], text: str) -> dict[str, str]:
    """The texts by language; an empty one was taken out."""
    return {name.rpartition("/")[2]: typed[name] for name in fields_of(text) if name in typed}


def chosen_language(visit: Visit, default: str) -> str:
    """The language that the form's field `language` names, if the instance speaks it; else the default."""
    chosen = visit.form.get("language", "")
    return chosen if chosen in LANGUAGES else default


# The form of a page that asks before something is done: whether it was left by yes or by no.


def goes_back(visit: Visit) -> bool:
    """Whether the page that asks was left by "No, go back": the form comes again with what was typed."""
    return bool(visit.form.get("back"))


def is_sure(visit: Visit) -> bool:
    """Whether the form comes from the page that told what would happen."""
    return visit.form.get("sure") == "1"
