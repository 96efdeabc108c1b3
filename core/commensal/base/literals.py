"""Words that a type names, for values that plugins make: their authors may use no type checker."""

from __future__ import annotations

from difflib import get_close_matches
from typing import get_args


def refuse_unknown_word(what: str, word: str, known: object) -> None:
    """Raises `ValueError`, with what was perhaps meant, unless `word` is one of those of the Literal `known`.

    `what` says whose word it is: "kind of the field shift".
    """
    words = get_args(known)
    if word not in words:
        close = get_close_matches(word, words, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{what}: {word!r} is not one of {', '.join(filter(None, words))}{meant}")
