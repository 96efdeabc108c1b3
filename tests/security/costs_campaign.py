"""One member hands the worst files in that a generator finds, while others order: ``make costs SEED=… MINUTES=10``.

Others order in turns of 400: some before the member begins, most while the member hands files in without a pause, and
some after that. Between two turns there is time for the mails of their orders. Others keep 80 % of their rate, and
their slowest requests take twice as long at most.
"""

from __future__ import annotations

import http.client
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from sqlalchemy import insert

from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.instance import open_instance
from commensal.people.people import add_person, new_person

from ..benchmarks.load import Load, load
from ..benchmarks.stand import Server, empty_databases, order, serving, set_up
from .wrong_files import WrongFile, wrong_files

RATE, P95 = 0.8, 2.0  # of what others have without such a member
CLIENTS, ORDERS = 4, 400  # of others, in one turn
UPLOADERS = 6
MAILS = 5  # seconds between two turns: time for the mails of the orders
BUSY = 0.1  # seconds of processor in one: less is a server that waits for requests


def measure(kind: str, seed: int, minutes: float) -> tuple[float, float, str]:
    """Returns how the rate and the p95 of others change, as medians over all turns, and what was done in words."""
    answers = Counter[str]()
    with tempfile.TemporaryDirectory() as temporary, empty_databases(kind, Path(temporary), "costs") as (url,):
        folder = Path(temporary) / "val"
        items = set_up(folder, url)
        token, numbers = _member(folder), count(step=ORDERS)
        with serving(folder) as server:
            sixth = 60 * minutes / 6
            calm = _turns(server, items, numbers, sixth)
            with _handing_in(server.address, token, seed, answers):
                beside = _turns(server, items, numbers, 4 * sixth)
            _wait_until_quiet(server)
            calm += _turns(server, items, numbers, sixth)
    rate = median(turn.rate for turn in beside) / median(turn.rate for turn in calm)
    p95 = median(turn.p95 for turn in beside) / median(turn.p95 for turn in calm)
    others = f"{median(turn.rate for turn in calm):.0f} orders a second, p95 {median(turn.p95 for turn in calm):.0f} ms"
    turns = f"{len(calm)} calm turns, {len(beside)} beside {sum(answers.values())} files {dict(answers)}"
    return rate, p95, f"{kind}: {others}; {turns}"


def _turns(server: Server, items: Sequence[str], numbers: Iterator[int], seconds: float) -> list[Load]:
    """Others order for so many seconds, with time for the mails of their orders in between."""
    turns, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        first = next(numbers)
        orders = [order(items, first + each) for each in range(ORDERS)]
        turns.append(load(server.address, CLIENTS, orders, 201, cpu=server.cpu))
        time.sleep(MAILS)
    return turns


@contextmanager
def _handing_in(address: str, token: str, seed: int, answers: Counter[str]) -> Iterator[None]:
    """The member hands files in while the block runs, one after the other on each of their connections."""
    ended = threading.Event()
    files = [islice(wrong_files(seed + each), each, None) for each in range(UPLOADERS)]  # each begins with another kind
    member = [threading.Thread(target=_hand_in, args=(address, token, each, answers, ended)) for each in files]
    for thread in member:
        thread.start()
    yield
    ended.set()
    for thread in member:
        thread.join()


def _wait_until_quiet(server: Server) -> None:
    """Returns when the server has done nothing for a second. Raises `TimeoutError` if it goes on for two minutes."""
    for _ in range(120):
        before = server.cpu()
        time.sleep(1)
        if server.cpu() - before < BUSY:
            return
    raise TimeoutError("the server is not quiet")


def _member(folder: Path) -> str:
    """A manager of the shop, by a token."""
    person = new_person(email="mara@example.org", name="Mara", password="a long enough password", language="en")
    with open_instance(folder) as instance, instance.store.write() as tx:
        added = add_person(tx, person, confirmed=True)
        assert added is not None
        row = {"enterprise_id": "shop", "person_id": added.id, "role": "manager", "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
        scopes = ["products:read", "products:write", "catalogs:write", "payments:write"]
        return make_token(tx, added.id, name="files", scopes=scopes, enterprise_id="shop").secret


def _hand_in(
    address: str, token: str, files: Iterator[WrongFile], answers: Counter[str], ended: threading.Event
) -> None:
    url = urlsplit(address)
    while not ended.is_set():
        file = next(files)
        base = "/api/-/bank_transfer" if file.kind == "statement" else "/api"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": file.media_type}
        connection = http.client.HTTPConnection(url.hostname or "", url.port)
        connection.request("POST", f"{base}/enterprises/shop/{file.path}", file.content, headers)
        answers[f"{file.kind} {connection.getresponse().status}"] += 1
        connection.close()


def main() -> int:
    seed, minutes = int(os.environ.get("SEED") or time.time()), float(os.environ.get("MINUTES") or 10)
    failed = False
    for kind in ("sqlite", "postgresql"):
        rate, p95, figures = measure(kind, seed, minutes / 2)
        failed |= rate < RATE or p95 > P95
        print(f"{figures}\n  others keep {rate:.0%} of their rate; p95 × {p95:.2f} (seed {seed})", flush=True)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
