"""The texts of one kind of notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """subject:  of the mail; what matters, in about 40 characters
    what:     what happened; once for each notice
    meaning:  what it means for orders
    todo:     what the reader does
    commands: of the shell, for each notice; for operators alone: the people of an enterprise have no shell here
    page:     of the office, where the readers do it, below the address of their enterprise; for operators below that of
              the instance, and "": the page of the peer
    """

    subject: str
    what: str
    meaning: str
    todo: str
    commands: tuple[str, ...] = ()
    page: str = ""
