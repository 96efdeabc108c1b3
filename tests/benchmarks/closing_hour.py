"""What the last hour of a country's sales costs: 17 orders and 700 pages of a sale each second, on one PostgreSQL.

    python -m tests.benchmarks.closing_hour [ORDERS]

For each order, clients read the page of a sale of 300 products 41 times: half of them come for the first time, half
have a basket. They ask as fast as they are answered, of one `commensal serve --no-jobs` and then of four, beside two
`commensal work`. ORDERS (60) is how many are placed each time. The processor time of web servers, workers and
PostgreSQL, divided by the number of orders, says how many processors 17 orders and 700 pages a second need; what a
proxy compresses and encrypts comes on top. It takes two minutes, and everything ends with it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from .load import Ask
from .machine import machine
from .processes import cpu_of_postgresql, place, working
from .stand import Server, order, postgresql, serving, set_up

ORDERS_A_SECOND, PAGES_A_SECOND = 17, 700
PAGES = round(PAGES_A_SECOND / ORDERS_A_SECOND)
SALE = "/sales/shop-session"


def main(orders: int = 60) -> None:
    print(machine("commensal", "sqlalchemy", "psycopg"))
    with tempfile.TemporaryDirectory(prefix="commensal-closing-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        items = set_up(folder / "val", stack.enter_context(postgresql(folder)))
        for count in (1, 4):
            print(f"web servers: {count}. {measure(folder / 'val', items, count, orders)}", flush=True)


def measure(folder: Path, items: Sequence[str], count: int, orders: int) -> str:
    """Asks for orders and pages, after some that warm everything up, and returns the figures."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(folder, "--no-jobs")) for _ in range(count)]
        workers = stack.enter_context(working(folder))
        basket = _basket(servers[0], items)
        place(servers, _requests(items, basket, orders // 5), {200, 201})
        before = _cpu(servers), _cpu(workers), cpu_of_postgresql(folder)
        seconds, _ = place(servers, _requests(items, basket, orders), {200, 201})
        after = _cpu(servers), _cpu(workers), cpu_of_postgresql(folder)
    web, work, database = ((end - begin) / orders for begin, end in zip(before, after, strict=True))
    needed = [each * ORDERS_A_SECOND for each in (web, work, database)]
    rate, needed = orders / seconds, [each * ORDERS_A_SECOND for each in (web, work, database)]
    return (
        f"{rate:.1f} orders and {rate * PAGES:.0f} pages a second by {rate * (web + work + database):.2f} processors. "
        f"An order with its {PAGES} pages takes {web * 1000:.0f} ms of web servers, {work * 1000:.0f} of the workers "
        f"and {database * 1000:.0f} of PostgreSQL: {ORDERS_A_SECOND} orders and {PAGES_A_SECOND} pages a second need "
        f"{needed[0]:.1f} + {needed[1]:.1f} + {needed[2]:.1f} = {sum(needed):.1f} processors"
    )


def _requests(items: Sequence[str], basket: str, orders: int) -> list[Ask]:
    """Orders, each with the pages that others read meanwhile, every second of them with a basket."""
    pages: list[Ask] = [("GET", SALE, "", {"Cookie": basket} if page % 2 else {}) for page in range(PAGES)]
    return [ask for number in range(orders) for ask in (order(items, number), *pages)]


def _basket(server: Server, items: Sequence[str]) -> str:
    """Puts three products into a basket. Returns the cookie of the browser that has it."""
    data = {f"items/{item}": "1" for item in items[:3]}
    with httpx.Client(base_url=server.address, headers={"Origin": server.address}) as browser:
        browser.get(SALE).raise_for_status()
        answer = browser.post(f"{SALE}/cart", data=data)
        assert answer.status_code in {200, 303}, answer.text
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def _cpu(processes: Sequence[Server]) -> float:
    return sum(process.cpu() for process in processes)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
