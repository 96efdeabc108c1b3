"""Short texts that people type, read strictly."""

from __future__ import annotations

import re
import unicodedata

from .errors import Problem


def read_text(
    text: str, where: str, problems: list[Problem], *, least: int = 0, most: int = 200, lines: bool = False
) -> str:
    """The text without space around it, in Unicode's composed form (NFC); only with `lines` it may have several lines.

    A mistake is added to `problems`: it is shorter than `least` or longer than `most` characters, or has characters
    that cannot be seen.
    """
    read = unicodedata.normalize("NFC", text.strip())
    if len(read) < least:
        problems.append(Problem("required", "This must not be empty.", where))
    if len(read) > most:
        problems.append(Problem("too_long", "This is longer than {most} characters.", where, {"most": most}))
    if any(unicodedata.category(one) == "Cc" and not (lines and one in "\r\n\t") for one in read):
        problems.append(Problem("control_character", "This has characters that cannot be seen.", where))
    return read


# What mail programs turn into a link: an address with its scheme, or a host name with a known look.
# Each is found by its end, so that the time grows with the text and not with its square.
_SCHEME = re.compile(r"(?<![a-z0-9+.-])[0-9+.-]*[a-z][a-z0-9+.-]*:/|\bwww\.", re.IGNORECASE)
_HOST = re.compile(r"\w-*[\w-](?:\.[\w-])*\.[a-z]{2,24}\b|\b(?:\d{1,3}\.){3}\d{1,3}\b|@", re.IGNORECASE)
_DOTS = str.maketrans(dict.fromkeys("。．｡․", "."))


def refuse_links(text: str, where: str, problems: list[Problem], *, hosts: bool = True) -> None:
    """Adds to `problems` a link in a text that strangers fill in and others read in their mails; with `hosts` also what
    only looks like one: ``example.org``, an e-mail address. ``J.-P. Martin`` and ``St. Martin`` are fine."""
    read = unicodedata.normalize("NFKC", text).translate(_DOTS)
    if _SCHEME.search(read) or (hosts and _HOST.search(read)):
        problems.append(Problem("link", "Write this without a link and without an e-mail address.", where))
