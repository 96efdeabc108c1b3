"""Each check finds its bug, planted where a programmer could have made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .campaign import Broken, campaign
from .lifeline import Lifeline

AT_ANY_MOMENT = ""
CASES = {
    # where it is killed, how often until it must be found, and a text of the error
    "charges_without_a_key": (["payment.asked", "request.committed"], 200, r"charged \d+ times|was charged"),
    "answers_before_the_commit": ([AT_ANY_MOMENT], 200, "was confirmed as .* and is None"),
    "sells_what_is_not_there": ([AT_ANY_MOMENT], 200, "add up to|placed orders hold"),
    "commits_half_a_payment": (["payment.received"], 200, "the journal says"),
    # These show at rest, when all requests are answered and all jobs done.
    "forgets_its_answers": (["request.committed"], 16, "placed twice|costs"),
    "notes_jobs_as_done_before_they_are": (["job.claimed"], 4, "not told of|e-mails"),
}


@pytest.mark.parametrize("planted", CASES)
def test_a_planted_bug_is_found(line: Lifeline, tmp_path: Path, planted: str) -> None:
    failpoints, kills, expected = CASES[planted]
    with pytest.raises(Broken, match=expected):
        campaign(line, tmp_path / "shop", seed=planted, kills=kills, planted=planted, only=failpoints)
