"""The texts of one kind of notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """subject:  of the mail; what matters, in about 40 characters
    what:     what happened; once for each notice
    meaning:  what it means for orders
    todo:     what the reader does
    commands: of the shell, for each notice; for operators, and for what no page of the office does
    page:     of the office, below the enterprise's address, where its people do it; "": none
    """

    subject: str
    what: str
    meaning: str
    todo: str
    commands: tuple[str, ...] = ()
    page: str = ""
