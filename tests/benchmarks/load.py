"""Clients that ask over HTTP, in a process of their own, and how long they waited."""

from __future__ import annotations

import http.client
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.pool import Pool
from urllib.parse import urlsplit

Ask = tuple[str, str, str, dict[str, str]]  # method, path, body, headers


@dataclass(frozen=True)
class Load:
    """`rate`: answers a second. `p95`, `p99`: percentiles of a request, in milliseconds. `cpu`: processor time of this
    process for each answer, in milliseconds: the server's, where server and database run in it."""

    rate: float
    p95: float
    p99: float
    cpu: float
    statuses: dict[int, int]


def load(address: str, clients: int, asks: Sequence[Ask], expected: int = 0) -> Load:
    """Sends all requests; with `expected`, raises where one is not answered so."""
    begun = time.process_time()
    seconds, times, statuses = _process().apply(shoot, (address, clients, asks, expected))
    cpu = time.process_time() - begun
    percentiles = statistics.quantiles(times, n=100)
    return Load(
        rate=len(times) / seconds,
        p95=percentiles[94] * 1000,
        p99=percentiles[98] * 1000,
        cpu=cpu / len(times) * 1000,
        statuses=statuses,
    )


@cache
def _process() -> Pool:
    """Started once: it takes longer than a load."""
    pool = multiprocessing.get_context("spawn").Pool(1)
    pool.apply(time.sleep, (0,))
    return pool


def shoot(address: str, clients: int, asks: Sequence[Ask], expected: int) -> tuple[float, list[float], dict[int, int]]:
    """All requests over `clients` connections: the seconds it took, those of each request, and what was answered."""
    where, times, wrong, statuses = urlsplit(address), list[float](), list[str](), dict[int, int]()

    def client(mine: Sequence[Ask]) -> None:
        connection = http.client.HTTPConnection(where.hostname or "", where.port)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each body waits for an ACK
        for method, path, body, headers in mine:
            begun = time.perf_counter()
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            said = answer.read()
            times.append(time.perf_counter() - begun)
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if expected and answer.status != expected:
                wrong.append(f"{answer.status} {said[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=client, args=(asks[number::clients],)) for number in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    return time.perf_counter() - begun, times, statuses
