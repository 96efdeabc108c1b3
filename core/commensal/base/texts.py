"""Texts of people: short ones are validated, HTML is sanitised, and words of plugins' values are checked."""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches
from typing import get_args

import nh3

from .errors import Problem


def read_text(
    text: str, where: str, problems: list[Problem], *, least: int = 0, most: int = 200, lines: bool = False
) -> str:
    """The text without surrounding space, in Unicode's composed form (NFC). With `lines` it may have several lines.

    Appends to `problems` if it is shorter than `least` or longer than `most` characters, or has control characters,
    such as turn the direction of what follows (UTS #39), or such as are not characters, with which XML is malformed. A
    text that nobody sees counts as empty.
    """
    read = unicodedata.normalize("NFC", text.strip())
    if len(read) < least or (least and is_blank(read)):
        problems.append(Problem("required", "Please fill this in.", where))
    if len(read) > most:
        problems.append(Problem("too_long", "This is longer than {most} characters.", where, {"most": most}))
    if any(_is_control(character) and not (lines and character in "\r\n\t") for character in read):
        problems.append(Problem("control_character", "This has characters that cannot be seen.", where))
    return read


def read_phone(text: str, where: str, problems: list[Problem], *, stored: str = "") -> str:
    """A telephone number as it was typed, or "". Appends to `problems` as `read_text` does, or else if it has fewer
    than six digits; words beside them are fine: *06 39 98 58 66, in the evening*. `stored` is what is kept so far: it
    stays, whatever it is, since nobody types it now."""
    if text == stored:
        return stored
    known = len(problems)
    read = read_text(text, where, problems, most=_LONGEST_PHONE)
    if read and len(problems) == known and sum(character.isdecimal() for character in read) < _FEWEST_DIGITS:
        problems.append(Problem("phone", "This is not a telephone number, like 06 39 98 58 66.", where))
    return read


def is_blank(text: str) -> bool:
    """Whether nobody sees anything of the text, as of one that has only spaces and characters without a width."""
    return not _without_format(text).strip()


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS or character in _DIRECTIONS or _is_none(ord(character))


def _is_none(code_point: int) -> bool:
    """Whether the code point is a noncharacter (Unicode, 23.7)."""
    return code_point & 0xFFFE == 0xFFFE or 0xFDD0 <= code_point <= 0xFDEF


def _without_format(text: str) -> str:
    """The text without characters that have no width, like the zero-width space (category Cf)."""
    if text.isascii():
        return text
    return "".join(character for character in text if unicodedata.category(character) != "Cf")


_LONGEST_PHONE, _FEWEST_DIGITS = 40, 6
_CONTROLS = ("Cc", "Zl", "Zp", "Cs")  # with the separators of lines and paragraphs, and halves of surrogates
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # embeddings, overrides and isolates
# Texts that mail programs turn into a link: an address with its scheme, or a host name.
# Each pattern is anchored at its end, so that the time is linear in the length of the text, not quadratic.
_SCHEME = re.compile(r"(?<![a-z0-9+.-])[0-9+.-]*[a-z][a-z0-9+.-]*:/|\bwww\.", re.IGNORECASE)
_HOST = re.compile(r"\w-*[\w-](?:\.[\w-])*\.[a-z]{2,24}\b|\b(?:\d{1,3}\.){3}\d{1,3}\b|@", re.IGNORECASE)
# Those of one letter with a path (t.co/x), and those under a domain of another script.
_SHORT_HOST = re.compile(r"\w\.[a-z]{2,24}/|[\w-]{2}\.[^\W\d_\u0000-\u024f]", re.IGNORECASE)
_DOTS = str.maketrans(dict.fromkeys("。．｡․", "."))


def refuse_links(text: str, where: str, problems: list[Problem], *, hosts: bool = True) -> None:
    """Appends to `problems` if the text contains a link, because strangers type it and others read it in e-mails.

    With `hosts` also for ``example.org`` and e-mail addresses. ``J.-P. Martin`` and ``St. Martin`` are fine. A
    character without a width does not hide a link, because nobody sees it.
    """
    composed = unicodedata.normalize("NFKC", _without_format(text))
    plain = composed.translate(_DOTS)
    is_host = hosts and (_HOST.search(plain) or _SHORT_HOST.search(composed))  # 。 ends sentences in other scripts
    if _SCHEME.search(plain) or is_host:
        problems.append(Problem("link", "Write this without a link and without an e-mail address.", where))


# Sanitises HTML that people write. All such HTML must pass here.

LONGEST = 20_000  # characters; the text is cut before parsing, so that its cost is bounded
_TAGS = {"p", "br", "strong", "b", "em", "i", "ul", "ol", "li", "h3", "h4", "blockquote", "a"}
_ATTRIBUTES = {"a": {"href"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def clean_html(text: str) -> str:
    """Keeps paragraphs, lists, emphasis and links, the text of other elements, and nothing of scripts and styles.

    Relative links lose their address, because ``//elsewhere`` is a relative link to another site.
    """
    return nh3.clean(
        text[:LONGEST], tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, url_relative="deny"
    ).strip()


# Words that a type names, for values that plugins make: their authors may use no type checker.


def refuse_unknown_word(what: str, word: str, known: object) -> None:
    """Raises `ValueError`, with what was perhaps meant, unless `word` is one of those of the Literal `known`.

    `what` says whose word it is: "kind of the field shift".
    """
    words = get_args(known)
    if word not in words:
        close = get_close_matches(word, words, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{what}: {word!r} is not one of {', '.join(filter(None, words))}{meant}")
