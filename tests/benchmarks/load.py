"""Clients that ask over HTTP, in a process of their own, and how long they waited."""

from __future__ import annotations

import http.client
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.pool import Pool
from urllib.parse import urlsplit

Ask = tuple[str, str, str, dict[str, str]]  # method, path, body, headers


@dataclass(frozen=True)
class Load:
    """`rate`: answers a second. `p95`: the percentile of a request, in milliseconds. `cpu`: the server's processor time
    for each answer, in milliseconds."""

    rate: float
    p95: float
    cpu: float


def load(
    address: str, clients: int, asks: Sequence[Ask], expected: int, *, cpu: Callable[[], float] = time.process_time
) -> Load:
    """Sends all requests; raises where one is not answered as expected. `cpu` tells the server's seconds of processor
    time until now: this process's, where it is served in it."""
    begun = cpu()
    seconds, times = _process().apply(shoot, (address, clients, asks, expected))
    spent = cpu() - begun
    p95 = statistics.quantiles(times, n=20)[-1]
    return Load(rate=len(times) / seconds, p95=p95 * 1000, cpu=spent / len(times) * 1000)


@cache
def _process() -> Pool:
    """Started once: it takes longer than a load."""
    pool = multiprocessing.get_context("spawn").Pool(1)
    pool.apply(time.sleep, (0,))
    return pool


def shoot(address: str, clients: int, asks: Sequence[Ask], expected: int) -> tuple[float, list[float]]:
    """All requests over `clients` connections: the seconds it took, and those of each request."""
    where, times, wrong = urlsplit(address), list[float](), list[str]()

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
            if answer.status != expected:
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
    return time.perf_counter() - begun, times
