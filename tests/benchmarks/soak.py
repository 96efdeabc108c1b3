"""An instance under load for a while: orders, jobs, a backup every minute and that of the night, reports that read for
long. `make soak`.

    MINUTES=10 RATE=5 python -m tests.benchmarks.soak

Prints what became of memory, descriptors, threads, the write-ahead log and waiting times, then has `commensal check`
look at everything. Ends with 1 where something grew that must not, an answer was an error, or an invariant is broken.
"""

from __future__ import annotations

import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from commensal.instance import open_instance
from commensal.trade.orders.tables import order_line

from .stand import Server, order, run, serving, set_up

MINUTES, RATE = float(os.environ.get("MINUTES", "10")), float(os.environ.get("RATE", "5"))
CLIENTS = 4
EVERY = 5.0  # seconds between two looks
SLOPE = 1.0  # megabytes of memory that may be gained in ten minutes
WAL = 64  # megabytes
GROWN = 1.2  # the last fifth's p99 to the first's


@dataclass(frozen=True)
class Seen:
    """The server at one moment; sizes in megabytes."""

    at: float
    memory: float
    descriptors: int
    threads: int
    wal: float


@dataclass(frozen=True)
class Answered:
    """One order: when it was answered, in seconds from the begin, how long that took, and its status."""

    at: float
    seconds: float
    status: int


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="commensal-soak-") as place:
        folder = Path(place) / "instance"
        items = set_up(folder)
        nightly = _back_up_nightly(folder, Path(place) / "nightly")
        over = threading.Event()
        with serving(folder) as server:
            answers: list[Answered] = []
            seen: list[Seen] = []
            backups: list[int] = []
            begun = time.monotonic()
            numbers = count()
            threads = [
                *(threading.Thread(target=_buy, args=(server, items, numbers, begun, answers, over))
                  for _ in range(CLIENTS)),
                threading.Thread(target=_look, args=(server, folder, begun, seen, over)),
                threading.Thread(target=_back_up, args=(folder, backups, over)),
                threading.Thread(target=_read_for_long, args=(folder, over)),
            ]  # fmt: skip
            for thread in threads:
                thread.start()
            over.wait(MINUTES * 60)
            over.set()
            for thread in threads:
                thread.join()
        sound, said = run("check", "--instance", str(folder))
        wrong = _told(answers, seen, backups)
        made = len(list(nightly.glob("*.zip")))
        print(f"{made} backups made by the instance itself, beside {len(backups)} by hand")
        if not made:
            wrong.append("the instance has made no backup by itself")
        if sound:
            wrong.append(f"commensal check: {said}")
        print("\n".join(f"WRONG: {fault}" for fault in wrong) or "All is as it should be; `commensal check` agrees.")
        return bool(wrong)


def _back_up_nightly(folder: Path, to: Path) -> Path:
    """The night comes while it is under load; and when it starts, it makes up for the last one."""
    to.mkdir()
    with open_instance(folder) as instance:
        night = instance.clock.now().astimezone(ZoneInfo(instance.settings.timezone)) + timedelta(minutes=MINUTES / 4)
    settings = folder / "instance.toml"
    text = settings.read_text("utf-8")
    for usual, ours in (
        ('[backups]\nfolder = ""', f'[backups]\nfolder = "{to}"'),
        ('at = "03:30"', f'at = "{night:%H:%M}"'),
    ):
        assert usual in text
        text = text.replace(usual, ours)
    settings.write_text(text, "utf-8")
    return to


def _buy(
    server: Server, items: Sequence[str], numbers: count[int], begun: float, answers: list[Answered],
    over: threading.Event,
) -> None:  # fmt: skip
    """One of `CLIENTS`, who share the rate."""
    where = urlsplit(server.address)
    connection = http.client.HTTPConnection(where.hostname or "", where.port)
    due = time.monotonic()
    while not over.wait(max(0.0, due - time.monotonic())):
        due += CLIENTS / RATE
        method, path, body, headers = order(items, next(numbers))
        sent = time.monotonic()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        now = time.monotonic()
        answers.append(Answered(now - begun, now - sent, answer.status))
    connection.close()


def _look(server: Server, folder: Path, begun: float, seen: list[Seen], over: threading.Event) -> None:
    wal = folder / "commensal.db-wal"
    while not over.wait(EVERY):
        size = wal.stat().st_size / 1e6 if wal.exists() else 0.0
        seen.append(Seen(time.monotonic() - begun, server.memory, server.descriptors, server.threads, size))


def _back_up(folder: Path, backups: list[int], over: threading.Event) -> None:
    while not over.wait(60):
        backups.append(run("backup", "--to", str(folder.parent / "by-hand"), "--instance", str(folder))[0])


def _read_for_long(folder: Path, over: threading.Event) -> None:
    """A report that takes half of every minute: SQLite cannot shorten its log meanwhile."""
    with open_instance(folder) as instance:
        while not over.wait(30):
            with instance.store.read() as tx:
                tx.value(select(func.count()).select_from(order_line))
                over.wait(30)


def _told(answers: Sequence[Answered], seen: Sequence[Seen], backups: Sequence[int]) -> list[str]:
    """Prints what was seen; returns what is wrong with it."""
    settled = [sample for sample in seen if sample.at > seen[-1].at / 3]
    slope = (
        statistics.linear_regression([sample.at for sample in settled], [sample.memory for sample in settled]).slope
        * 600
    )
    fifth = seen[-1].at / 5
    early = _p99([answer for answer in answers if answer.at < fifth])
    late = _p99([answer for answer in answers if answer.at > seen[-1].at - fifth])
    errors = sum(answer.status != 201 for answer in answers)
    first, last, most = settled[0], seen[-1], max(sample.wal for sample in seen)
    print(f"{len(answers)} orders in {seen[-1].at / 60:.1f} minutes, {errors} not answered 201")
    print(f"memory {seen[0].memory:.0f} MB at first, {last.memory:.0f} MB at last, {slope:+.1f} MB in 10 minutes")
    print("memory by the minute: " + ", ".join(f"{sample.memory:.0f}" for sample in seen[:: int(60 / EVERY)]) + " MB")
    print(f"descriptors {first.descriptors} -> {last.descriptors}, threads {first.threads} -> {last.threads}")
    print(f"write-ahead log at most {most:.1f} MB, {last.wal:.1f} MB at last")
    print(f"p99 of an order {early * 1000:.0f} ms in the first fifth, {late * 1000:.0f} ms in the last")
    return [
        text
        for text, wrong in (
            (f"memory grows by {slope:.1f} MB in 10 minutes", slope > SLOPE),
            (
                f"{last.descriptors - first.descriptors} descriptors are left open",
                last.descriptors > first.descriptors + 4,
            ),
            (f"{last.threads - first.threads} threads are left", last.threads > first.threads + 4),
            (f"the write-ahead log has {most:.0f} MB", most > WAL),
            (f"p99 grows from {early:.3f} to {late:.3f} s", late > early * GROWN),
            (f"{errors} orders were not taken", errors > 0),
            ("a backup failed", any(backups)),
        )
        if wrong
    ]


def _p99(answers: Sequence[Answered]) -> float:
    return statistics.quantiles([answer.seconds for answer in answers], n=100)[-1]


if __name__ == "__main__":
    sys.exit(main())
