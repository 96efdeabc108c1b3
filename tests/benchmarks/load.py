"""HTTP clients in their own process, with the times of their requests."""

from __future__ import annotations

import http.client
import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.pool import Pool
from urllib.parse import urlsplit

Ask = tuple[str, str, str, dict[str, str]]  # method, path, body, headers


@dataclass(frozen=True)
class Load:
    """`rate`: answers per second. `p95`: the percentile of a request, in milliseconds. `cpu`: the server's processor
    time for each answer, in milliseconds.
    """

    rate: float
    p95: float
    cpu: float


def load(
    address: str, clients: int, asks: Sequence[Ask], expected: int, *, cpu: Callable[[], float] = time.process_time
) -> Load:
    """Sends all requests; raises if one is not answered as expected. `cpu` returns the server's seconds of processor
    time until now; by default this process's, if the server runs in it.
    """
    cpu_before = cpu()
    seconds, times = _process().apply(shoot, (address, clients, asks, {expected}))
    cpu_spent = cpu() - cpu_before
    p95 = statistics.quantiles(times, n=20)[-1]
    return Load(rate=len(times) / seconds, p95=p95 * 1000, cpu=cpu_spent / len(times) * 1000)


@cache
def _process() -> Pool:
    """Started once, since starting takes longer than a load."""
    pool = multiprocessing.get_context("spawn").Pool(1)
    pool.apply(time.sleep, (0,))
    return pool


def shoot(address: str, clients: int, asks: Sequence[Ask], expected: Collection[int]) -> tuple[float, list[float]]:
    """Sends all requests over `clients` connections; raises if one is answered with none of the `expected` codes.
    Returns the total seconds, and those of each request.
    """
    url, times, errors = urlsplit(address), list[float](), list[str]()

    def client(own_asks: Sequence[Ask]) -> None:
        connection = http.client.HTTPConnection(url.hostname or "", url.port)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each body waits for an ACK
        for method, path, body, headers in own_asks:
            sent_at = time.perf_counter()
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            body_read = answer.read()
            times.append(time.perf_counter() - sent_at)
            if answer.status not in expected:
                errors.append(f"{answer.status} {body_read[:200]!r}")
        connection.close()

    threads = [threading.Thread(target=client, args=(asks[number::clients],)) for number in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise RuntimeError(errors[0])
    return time.perf_counter() - started, times
