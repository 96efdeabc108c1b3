"""A distant platform has not given what it was asked for."""

from __future__ import annotations

from datetime import datetime

from commensal import Conflict


class NotAnswered(Conflict):
    """`answered` is the status of its answer, 0 where there was none, and `problem` the code of its refusal, where it
    has one; `again`: trying later may help, and not before `earliest` (UTC), where it says so."""

    def __init__(
        self, code: str, text: str, *, answered: int = 0, again: bool = False, earliest: datetime | None = None,
        problem: str = "", **values: object,
    ) -> None:  # fmt: skip
        super().__init__(code, text, **values)
        self.answered, self.again, self.earliest, self.problem = answered, again, earliest, problem
