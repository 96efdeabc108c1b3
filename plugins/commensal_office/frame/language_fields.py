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
