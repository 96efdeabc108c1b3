"""The error of a request to a linked platform."""

from __future__ import annotations

from datetime import datetime

from commensal import Conflict


class NotAnswered(Conflict):
    """A platform did not answer a request as it should.

    answered: HTTP status of its answer, 0 without one
    problem:  code of its refusal in problem details, if any
    again:    a later attempt may succeed, not before `earliest` (UTC) if that is given
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        answered: int = 0,
        again: bool = False,
        earliest: datetime | None = None,
        problem: str = "",
        **values: object,
    ) -> None:
        super().__init__(code, text, **values)
        self.answered, self.again, self.earliest, self.problem = answered, again, earliest, problem
