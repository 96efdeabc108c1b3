"""Texts that an enterprise writes: one in its own language, and the same in further ones, by language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import Problem

MOST = 20  # further languages of one text
_CODE = re.compile(r"[a-z]{2,3}")  # ISO 639


@dataclass(frozen=True)
class Written:
    """A text and the language that it is in (ISO 639)."""

    language: str
    text: str


def in_language(reader: str, own: str, text: str, others: Mapping[str, str]) -> Written:
    """The text for a reader of the language `reader`; else the author's, in the language `own`; else any there is."""
    if reader != own and reader in others:
        return Written(reader, others[reader])
    if text or not others:
        return Written(own, text)
    return Written(*next(iter(others.items())))


def read_others(
    texts: Mapping[str, str], where: str, problems: list[Problem], read: Callable[[str, str], str]
) -> dict[str, str]:
    """The texts in further languages as they are stored, without those that are empty. Adds mistakes to `problems`.

    `read` makes of a text, and of the place that its mistakes name, what is stored. Languages that this instance does
    not speak are kept: it may learn them, or the enterprise may move.
    """
    if len(texts) > MOST:
        problems.append(Problem("too_many", "At most {most} can be named.", where, {"most": MOST}))
        return {}
    for language in texts:
        if not _CODE.fullmatch(language):
            problems.append(Problem("language", "Name languages by their codes, like fr.", where))
    cleaned = {language: read(text, f"{where}/{language}") for language, text in texts.items()}
    return {language: text for language, text in sorted(cleaned.items()) if text}
