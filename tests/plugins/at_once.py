"""Many do something at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from commensal import Refused


def at_once(*acts: Callable[[], object]) -> Counter[str]:
    """Runs them side by side and counts what became of them: "done", or the code of the refusal."""
    start, outcomes = threading.Barrier(len(acts)), Counter[str]()

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
            outcomes["done"] += 1
        except Refused as refused:
            outcomes[refused.problems[0].code if refused.problems else refused.code] += 1
        except Exception as error:  # whatever else it is must fail the test
            outcomes[repr(error)] += 1

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
