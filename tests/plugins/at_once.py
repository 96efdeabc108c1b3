"""Runs several actions at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from commensal import Refused


def at_once(*actions: Callable[[], object]) -> Counter[str]:
    """Runs the actions in parallel and counts the outcomes: "done", or the code of the refusal."""
    start, outcomes = threading.Barrier(len(actions)), Counter[str]()

    def run(action: Callable[[], object]) -> None:
        start.wait()
        try:
            action()
            outcomes["done"] += 1
        except Refused as refused:
            outcomes[refused.problems[0].code if refused.problems else refused.code] += 1
        except Exception as error:  # any other exception must fail the test
            outcomes[repr(error)] += 1

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
