"""Short texts that people type, read strictly."""

from __future__ import annotations

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
