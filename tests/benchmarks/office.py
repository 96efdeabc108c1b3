"""Processor time of each page of the office, for a shop with a past of a million order lines, and of a grid's saving.

    python -m tests.benchmarks.office [LINES] [sqlite | postgresql]

The coordinator follows the links of the office from page to page, and opens one page of each kind in two shops: one
with the past, one without, both with 300 goods and 40 orders in a running sale. A page is counted by the processor time
of the server, on average over `ASKED` requests. Aims: 150 ms a page, and 1,000 changed prices saved in a second.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
from sqlalchemy import insert

from commensal.enterprises.tables import enterprise_member
from commensal.instance import open_instance
from commensal.people.people import add_person, new_person

from . import history
from .machine import machine
from .stand import ITEMS, Server, empty_databases, order, serving, set_up

ASKED = 5  # requests to each page
ORDERS = 40  # of the running sale
GOODS = 1000  # of the grid
START = "/office/shop"
_EMAIL, _PASSWORD = "ada@example.org", "a long password of the benchmark"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
_MOST_PAGES = 150


def main() -> None:
    arguments = sys.argv[1:]
    lines = next((int(word) for word in arguments if word.isdigit()), history.LINES)
    database = "postgresql" if "postgresql" in arguments else "sqlite"
    print(machine("sqlalchemy"), flush=True)
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder, ExitStack() as stack:
        young_url, old_url, large_url = stack.enter_context(
            empty_databases(database, Path(folder), "young", "old", "large")
        )
        young, old = (
            _office(Path(folder) / name, url, ITEMS) for name, url in (("young", young_url), ("old", old_url))
        )
        large = _office(Path(folder) / "large", large_url, GOODS)
        with open_instance(old.folder) as instance:
            history.add_history(instance.store, lines)
        young_costs, old_costs = (_walk(office) for office in (young, old))
        _tell(young_costs, old_costs)
        _save_grid(large)


@dataclass(frozen=True)
class Office:
    """An instance whose coordinator is Ada. `items` are the goods on sale."""

    folder: Path
    items: list[str]


def _office(folder: Path, url: str, goods: int) -> Office:
    items = set_up(folder, url, goods)
    with open_instance(folder) as instance, instance.store.write() as tx:
        ada = new_person(email=_EMAIL, name="Ada", password=_PASSWORD, language="en")
        person = add_person(tx, ada, confirmed=True)
        assert person is not None
        tx.execute(
            insert(enterprise_member).values(enterprise_id="shop", person_id=person.id, role="owner", since=tx.now)
        )
    return Office(folder, items)


@contextmanager
def _open(office: Office) -> Iterator[tuple[Server, httpx.Client]]:
    """Serves the office, with the coordinator logged in and orders in the running sale."""
    with (
        serving(office.folder, "--no-jobs") as server,
        httpx.Client(base_url=server.address, headers={"Origin": server.address}, timeout=120) as client,
    ):
        logged_in = client.post("/login", data={"email": _EMAIL, "password": _PASSWORD})
        assert logged_in.status_code == 303, logged_in.text
        for number in range(ORDERS):
            method, path, body, headers = order(office.items, number)
            client.request(method, path, content=body, headers=headers).raise_for_status()
        yield server, client


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fields: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.links.append(values["href"] or "")
        if tag == "input" and values.get("name"):
            self.fields[values["name"] or ""] = values.get("value") or ""


def _kind(url: str) -> str:
    """The address with a star for each id, and the names of its query."""
    parts = urlsplit(url)
    names = "&".join(sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair}))
    return _ID.sub("*", parts.path) + (f"?{names}" if names else "")


def _walk(office: Office) -> dict[str, float]:
    """Milliseconds of processor time by the kind of page, for all pages that links lead to."""
    costs: dict[str, float] = {}
    with _open(office) as (server, client):
        waiting = [START]
        seen = {_kind(START)}
        while waiting and len(costs) < _MOST_PAGES:
            url = waiting.pop(0)
            answer = client.get(url, follow_redirects=True)
            if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
                continue
            before = server.cpu()
            for _ in range(ASKED):
                client.get(url, follow_redirects=True).raise_for_status()
            costs[_kind(url)] = (server.cpu() - before) * 1000 / ASKED
            for link in _Page(answer.text).links:
                target = urlsplit(urljoin(str(answer.url), link))
                if target.netloc == urlsplit(server.address).netloc and target.path.startswith("/office"):
                    further = target.path + (f"?{target.query}" if target.query else "")
                    if _kind(further) not in seen:
                        seen.add(_kind(further))
                        waiting.append(further)
    return costs


def _tell(young: dict[str, float], old: dict[str, float]) -> None:
    median = statistics.median(old.values())
    print(
        f"{len(old)} kinds of page with a past: median {median:.0f} ms, {sum(old.values()) / len(old):.0f} on average"
    )
    for kind, cost in sorted(old.items(), key=lambda pair: -pair[1])[:20]:
        without = f"{young[kind]:.0f} ms without a past" if kind in young else "only with a past"
        print(f"{cost:6.0f} ms  {kind}  ({without})")
    print(f"over 150 ms: {', '.join(kind for kind, cost in old.items() if cost > 150) or 'none'}")


def _save_grid(office: Office) -> None:
    """Changes the price of every item of the grid, and saves them in one request."""
    with _open(office) as (server, client):
        page = client.get(f"{START}/products").raise_for_status()
        fields = _Page(page.text).fields
        prices = {name: f"{index % 90 + 1}.25" for index, name in enumerate(fields) if name.startswith("price/")}
        before, started = server.cpu(), time.perf_counter()
        answer = client.post(f"{START}/products", data={**fields, **prices}, follow_redirects=True)
        answer.raise_for_status()
        seconds, cpu = time.perf_counter() - started, server.cpu() - before
        print(f"{len(prices)} prices saved in {seconds:.2f} s, {cpu:.2f} s of processor, with the page that follows")


if __name__ == "__main__":
    main()
