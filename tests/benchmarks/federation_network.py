"""A week of trade of a network of co-operatives, and what came of it. ``make network``.

    HUBS=20 SEED=1 python -m tests.benchmarks.federation_network

What is played is told in `network_week.py`. A tenth of the machines is off at any time, and others after each step.
Clocks are up to 25 seconds wrong, and each day one in twenty is three minutes wrong, which is more than peers accept.
Of the requests two in a hundred do not arrive, and of one in a hundred the answer is lost. No older code runs: half of
the instances leaves out of messages what 0.2.0 does not know.

Ends with 1 where somebody was refused in vain, books do not agree, or more was sold than there was.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from commensal.base.logs import configure_logs
from commensal.parts.serving.serving import tune_garbage_collector

from .machine import machine
from .network_agreement import alerts_of, differences, messages_of, oversold
from .network_week import Demand, Network

HEADINGS = (
    *("hubs", "instances", "pieces asked for", "sold, of those and there", "at the first try", "producer away"),
    *("sold out", "idle then", "in vain", "messages an instance", "requests", "processor", "until books agree"),
    "alerts left",
)


def report(network: Network, settled: int | None, seconds: float) -> str:
    """The line of the table that this network is."""
    figures, instances = network.figures, len(network.region.members)
    there = min(figures.asked, network.stock())
    messages, requests = messages_of(network.region), network.weather.requests
    return (
        f"| {len(network.shops)} | {instances} | {figures.asked:,} | {figures.sold / there:.1%} | "
        f"{figures.sold_at_once / there:.1%} | {figures.away} | {figures.refused} | {figures.idle} | "
        f"{len(figures.in_vain)} | {messages / instances:.0f} | {requests / instances:.0f} | "
        f"{seconds / instances:.1f} s | {settled} min | {alerts_of(network.region)} |"
    )


def main() -> int:
    configure_logs(level="critical")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(machine("sqlalchemy", "cryptography"))
    hubs, seed = int(os.environ.get("HUBS", "20")), int(os.environ.get("SEED", "1"))
    with tempfile.TemporaryDirectory(prefix="commensal-network-") as folder:
        network = Network(Path(folder), hubs, seed, Demand(days=int(os.environ.get("DAYS", "7"))))
        tune_garbage_collector()  # as `commensal serve` does
        network.weather.requests, before = 0, time.process_time()
        network.play()
        settled = network.settle()
        print("| " + " | ".join(HEADINGS) + " |")
        print("|" + "---:|" * len(HEADINGS))
        print(report(network, settled, time.process_time() - before))
        faults = [*network.figures.in_vain, *differences(network.region), *oversold(network.region)]
        for text in faults[:20]:
            print(text)
        network.end()
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
