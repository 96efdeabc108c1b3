"""Orders of two checkouts in fine turns, each served by its own code: ratios that do not depend on the neighbours.

    python -m tests.benchmarks.side_by_side OTHER [sqlite | postgresql] [CLIENTS [ROUNDS]]

OTHER is the folder of the other checkout, with its own `.venv`. Both servers stand beside each other, and take turns of
`ORDERS` orders; the median of the ratios of neighbouring rounds counts, this checkout's by the other's.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .load import Load, load
from .machine import machine
from .stand import Server, order

ORDERS = 80
HERE = Path(__file__).parents[2]
# What each checkout runs with its own code: it names its server, and waits until its input ends.
_STAND = """
import json, sys, tempfile
from pathlib import Path
from tests.benchmarks.stand import postgresql, serving, set_up

def stand(folder, url):
    items = set_up(folder / "shop", url)
    with serving(folder / "shop", "--no-jobs") as server:
        print("READY " + json.dumps([server.pid, server.address, server.started_in, items]), flush=True)
        sys.stdin.read()

with tempfile.TemporaryDirectory(prefix="commensal-bench-") as name:
    if sys.argv[1] == "sqlite":
        stand(Path(name), "")
    else:
        with postgresql(Path(name)) as url:
            stand(Path(name), url)
"""


@dataclass
class Side:
    """A server of one checkout, and its rounds."""

    server: Server
    items: list[str]
    rounds: list[Load] = field(default_factory=list)

    def take_orders(self, first: int, clients: int) -> None:
        asks = [order(self.items, first + number) for number in range(ORDERS)]
        self.rounds.append(load(self.server.address, clients, asks, 201, cpu=self.server.cpu))


def main() -> None:
    other, database, clients, rounds = _arguments(sys.argv[1:])
    print(machine("sqlalchemy"), flush=True)
    with ExitStack() as stack:
        sides = [stack.enter_context(_standing(tree, database)) for tree in (other, HERE)]
        for number in range(rounds + 2):
            for side in sides if number % 2 else reversed(sides):
                side.take_orders(number * ORDERS, clients)
    theirs, ours = (side.rounds[2:] for side in sides)  # not the first, in which servers get warm
    rate = statistics.median(mine.rate / its.rate for its, mine in zip(theirs, ours, strict=True))
    cpu = sum(each.cpu for each in ours) / sum(each.cpu for each in theirs)
    medians = " and ".join(f"{statistics.median(each.rate for each in side):.0f}" for side in (theirs, ours))
    print(f"{database}, {clients} clients, {rounds} rounds: {medians} orders/s")
    print(f"{rate:.2f} of the rate of {other}, {cpu:.2f} of its processor time")


def _arguments(words: list[str]) -> tuple[Path, str, int, int]:
    numbers = [int(word) for word in words if word.isdigit()]
    database = "postgresql" if "postgresql" in words else "sqlite"
    clients, rounds = [*numbers, *(1, 24)[len(numbers) :]][:2]
    return Path(words[0]).resolve(), database, clients, rounds


@contextmanager
def _standing(tree: Path, database: str) -> Iterator[Side]:
    sources = (tree / "core", tree / "federation", tree / "plugins", tree)
    process = subprocess.Popen(
        [str(tree / ".venv/bin/python"), "-c", _STAND, database],
        cwd=tree,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources))},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        ready = next(line for line in process.stdout if line.startswith("READY "))
        *process_facts, items = json.loads(ready.removeprefix("READY "))
        yield Side(Server(*process_facts), items)
    finally:
        process.stdin.close()
        process.wait(timeout=120)


if __name__ == "__main__":
    main()
