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
from commensal.orders.tables import order_line

from .stand import Server, order, run, serving, set_up

MINUTES, RATE = float(os.environ.get("MINUTES", "10")), float(os.environ.get("RATE", "5"))
CLIENTS = 4
EVERY = 5.0  # seconds between two samples
SLOPE = 1.0  # megabytes of memory that it may gain in ten minutes
WAL = 64  # megabytes
GROWN = 1.2  # the last fifth's p99 in relation to the first's


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
    """One order: the moment of its answer and its duration, in seconds from the start, and its status."""

    at: float
    seconds: float
    status: int


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="commensal-soak-") as place:
        folder = Path(place) / "instance"
        items = set_up(folder)
        nightly = _back_up_nightly(folder, Path(place) / "nightly")
        stop = threading.Event()
        with serving(folder) as server:
            answers: list[Answered] = []
            samples: list[Seen] = []
            backups: list[int] = []
            started = time.monotonic()
            numbers = count()
            threads = [
                *(
                    threading.Thread(target=_buy, args=(server, items, numbers, started, answers, stop))
                    for _ in range(CLIENTS)
                ),
                threading.Thread(target=_sample, args=(server, folder, started, samples, stop)),
                threading.Thread(target=_back_up, args=(folder, backups, stop)),
                threading.Thread(target=_read_for_long, args=(folder, stop)),
            ]
            for thread in threads:
                thread.start()
            stop.wait(MINUTES * 60)
            stop.set()
            for thread in threads:
                thread.join()
        is_sound, output = run("check", "--instance", str(folder))
        faults = _report(answers, samples, backups)
        backup_count = len(list(nightly.glob("*.zip")))
        print(f"{backup_count} backups made by the instance itself, beside {len(backups)} by hand")
        if not backup_count:
            faults.append("the instance has made no backup by itself")
        if is_sound:
            faults.append(f"commensal check: {output}")
        print("\n".join(f"WRONG: {fault}" for fault in faults) or "All is as it should be; `commensal check` agrees.")
        return bool(faults)


def _back_up_nightly(folder: Path, to: Path) -> Path:
    """Sets the nightly backup to a time under load; at the start, the instance also makes up for the last one."""
    to.mkdir()
    with open_instance(folder) as instance:
        night = instance.clock.now().astimezone(ZoneInfo(instance.settings.timezone)) + timedelta(minutes=MINUTES / 4)
    settings = folder / "instance.toml"
    text = settings.read_text("utf-8")
    for default_line, own_line in (
        ('[backups]\nfolder = ""', f'[backups]\nfolder = "{to}"'),
        ('at = "03:30"', f'at = "{night:%H:%M}"'),
    ):
        assert default_line in text
        text = text.replace(default_line, own_line)
    settings.write_text(text, "utf-8")
    return to


def _buy(
    server: Server,
    items: Sequence[str],
    numbers: count[int],
    started: float,
    answers: list[Answered],
    stop: threading.Event,
) -> None:
    """One of `CLIENTS`, who share the rate."""
    url = urlsplit(server.address)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    next_at = time.monotonic()
    while not stop.wait(max(0.0, next_at - time.monotonic())):
        next_at += CLIENTS / RATE
        method, path, body, headers = order(items, next(numbers))
        sent = time.monotonic()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        now = time.monotonic()
        answers.append(Answered(now - started, now - sent, answer.status))
    connection.close()


def _sample(server: Server, folder: Path, started: float, samples: list[Seen], stop: threading.Event) -> None:
    wal = folder / "commensal.db-wal"
    while not stop.wait(EVERY):
        size = wal.stat().st_size / 1e6 if wal.exists() else 0.0
        samples.append(Seen(time.monotonic() - started, server.memory, server.descriptors, server.threads, size))


def _back_up(folder: Path, backups: list[int], stop: threading.Event) -> None:
    while not stop.wait(60):
        backups.append(run("backup", "--to", str(folder.parent / "by-hand"), "--instance", str(folder))[0])


def _read_for_long(folder: Path, stop: threading.Event) -> None:
    """A report that takes half of every minute, in which SQLite cannot shorten its log."""
    with open_instance(folder) as instance:
        while not stop.wait(30):
            with instance.store.read() as tx:
                tx.value(select(func.count()).select_from(order_line))
                stop.wait(30)


def _report(answers: Sequence[Answered], samples: Sequence[Seen], backups: Sequence[int]) -> list[str]:
    """Prints the figures. Returns what is wrong with them."""
    later_samples = [sample for sample in samples if sample.at > samples[-1].at / 3]
    slope = (
        statistics.linear_regression(
            [sample.at for sample in later_samples], [sample.memory for sample in later_samples]
        ).slope
        * 600
    )
    fifth = samples[-1].at / 5
    p99_first = _p99([answer for answer in answers if answer.at < fifth])
    p99_last = _p99([answer for answer in answers if answer.at > samples[-1].at - fifth])
    errors = sum(answer.status != 201 for answer in answers)
    first, last, largest_wal = later_samples[0], samples[-1], max(sample.wal for sample in samples)
    print(f"{len(answers)} orders in {samples[-1].at / 60:.1f} minutes, {errors} not answered 201")
    print(f"memory {samples[0].memory:.0f} MB at first, {last.memory:.0f} MB at last, {slope:+.1f} MB in 10 minutes")
    print(
        "memory by the minute: " + ", ".join(f"{sample.memory:.0f}" for sample in samples[:: int(60 / EVERY)]) + " MB"
    )
    print(f"descriptors {first.descriptors} -> {last.descriptors}, threads {first.threads} -> {last.threads}")
    print(f"write-ahead log at most {largest_wal:.1f} MB, {last.wal:.1f} MB at last")
    print(f"p99 of an order {p99_first * 1000:.0f} ms in the first fifth, {p99_last * 1000:.0f} ms in the last")
    return [
        text
        for text, is_wrong in (
            (f"memory grows by {slope:.1f} MB in 10 minutes", slope > SLOPE),
            (
                f"{last.descriptors - first.descriptors} descriptors are left open",
                last.descriptors > first.descriptors + 4,
            ),
            (f"{last.threads - first.threads} threads are left", last.threads > first.threads + 4),
            (f"the write-ahead log has {largest_wal:.0f} MB", largest_wal > WAL),
            (f"p99 grows from {p99_first:.3f} to {p99_last:.3f} s", p99_last > p99_first * GROWN),
            (f"{errors} orders were not taken", errors > 0),
            ("a backup failed", any(backups)),
        )
        if is_wrong
    ]


def _p99(answers: Sequence[Answered]) -> float:
    return statistics.quantiles([answer.seconds for answer in answers], n=100)[-1]


if __name__ == "__main__":
    sys.exit(main())
