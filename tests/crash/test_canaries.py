"""Each check finds the bug that it is there for, planted where a programmer could have made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .campaign import Broken, campaign
from .lifeline import Lifeline

AT_ANY_MOMENT = ""
PAYING = ("payment.asked", "payment.asked", "request.committed")
CASES = {
    "charges_without_a_key": (PAYING, r"charged \d+ times|was charged"),
    "answers_before_the_commit": ([AT_ANY_MOMENT], "was confirmed as .* and is None"),
    "forgets_its_answers": (["request.committed"], "placed twice|costs"),
    "sells_what_is_not_there": ([AT_ANY_MOMENT], "add up to|placed orders hold"),
    "commits_half_a_payment": (["payment.received"], "the journal says"),
    "notes_jobs_as_done_before_they_are": (["job.claimed"], "not told of|e-mails"),
}


@pytest.mark.parametrize("planted", CASES)
def test_a_planted_bug_is_found(line: Lifeline, tmp_path: Path, planted: str) -> None:
    where, found = CASES[planted]
    with pytest.raises(Broken, match=found):
        campaign(line, tmp_path / "shop", seed=planted, kills=12, planted=planted, only=where)
