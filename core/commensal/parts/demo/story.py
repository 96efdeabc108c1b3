"""Plays a week at a hub over HTTP, and checks it: import of a product list, a sale, concurrent orders, the closing."""

from __future__ import annotations

import csv
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvicorn
from rich.console import Console

from ...base.money import half_up
from ...instance import Instance
from ...instance.settings import LimitSettings
from ...storage.jobs.periodic import tick
from ..checks import broken_invariants
from ..distribution.distribution import parcels, product_totals
from ..serving.serving import serve
from ..serving.work import work_of
from ..terminal.lists import print_distribution
from ..terminal.shell import spoken, told
from .fill import PASSWORD, Filled
from .values import DemoRegion
from .visitor import Unexpected, Visitor

LIST = Path(__file__).with_name("product_list.csv")
FARM = "Ferme de l'Étang Vert"
SHOPPERS = 12
RARE = "TOM-C"  # the list has three of it, and every shopper wants one


@dataclass(frozen=True)
class StorySale:
    """The sale of the story: ids, and ids of items by the reference of their product."""

    coordination: str
    session: str
    items: dict[str, str]


def tell_story(instance: Instance, filled: Filled, region: DemoRegion, console: Console) -> bool:
    """Plays the story and prints it. Returns whether everything went as expected and no invariant is broken."""
    try:
        with live(_patient(instance)) as url:
            hub = _visitor(url, region.hubs[0].owner.email)
            farm = _found_farm(console, url, filled.operator, filled.hubs[0])
            sale = _open_sale(console, instance, hub, filled.hubs[0], farm)
            outcomes = _race(console, url, region, sale)
            _change_minds(console, hub, filled.hubs[0], sale)
            _close(console, instance, hub, filled.hubs[0], sale)
            hub.close()
    except Unexpected as error:
        console.print(spoken("[red]The story stopped.[/red] {error}", error=error))
        return False
    _print_lists(console, instance, filled.hubs[0], sale)
    return _check(console, instance, outcomes)


def _patient(instance: Instance) -> Instance:
    """The same instance with rate limits that allow many log-ins from one address."""
    settings = replace(instance.settings, limits=LimitSettings(reads=10_000, writes=10_000, logins=1_000))
    return replace(instance, settings=settings)


def _visitor(url: str, email: str) -> Visitor:
    visitor = Visitor(url, email)
    visitor.log_in(email, PASSWORD)
    return visitor


def _found_farm(console: Console, url: str, operator: str, hub_id: str) -> str:
    """A producer joins, imports its product list, and lets the hub sell. Returns its id."""
    owner = _visitor(url, operator)
    farm = owner.post("/enterprises", {"name": FARM, "is_producer": True, "email": "etang-vert@example.org"})["id"]
    owner.post(f"/enterprises/{farm}/catalogs", {"name": "Catalogue"})
    content = LIST.read_bytes()
    trial = owner.send(f"/enterprises/{farm}/product-list", content, dry_run="true")
    if trial["mistakes_in_all"]:
        raise Unexpected(spoken("the product list has mistakes: {mistakes}", mistakes=trial["mistakes"]))
    outcome = owner.send(f"/enterprises/{farm}/product-list", content)
    message = "[bold]Import[/bold] {file}: {count} products of {farm}"
    console.print(spoken(message, file=LIST.name, count=outcome["created"], farm=FARM))
    for scope in ("ReadProducts", "WriteOrders"):
        owner.put(f"/enterprises/{farm}/grants/{hub_id}/{scope}")
    owner.close()
    return str(farm)


def _open_sale(console: Console, instance: Instance, hub: Visitor, hub_id: str, farm: str) -> StorySale:
    """The hub lists the farm's products with a margin and opens a sale that closes in two days."""
    shop = f"/enterprises/{hub_id}"
    catalog = f"{shop}/catalogs/{hub.get(f'{shop}/catalogs')['items'][0]['id']}"
    items, prices = dict[str, str](), _prices()
    for stocked in hub.get(f"{shop}/sellable-products", producer=farm, limit=200)["items"]:
        product = stocked["product"]
        item = hub.post(f"{catalog}/items", {"product_id": product["id"]})["id"]
        hub.put(f"{shop}/items/{item}/price", {"price": prices[product["sku"]]})
        items[product["sku"]] = item
    now = instance.clock.now()
    opening = {"opens_at": _iso(now - timedelta(minutes=1)), "closes_at": _iso(now + timedelta(days=2))}
    coordination = hub.post(
        f"{shop}/coordinations", {"name": "Vente de démonstration", "suppliers": [{"enterprise_id": farm}], **opening}
    )["id"]
    session = hub.post(
        f"{shop}/coordinations/{coordination}/sessions",
        {
            "shop_id": hub_id,
            "catalog_id": catalog.rpartition("/")[2],
            "begins_at": _iso(now + timedelta(days=3)),
            "ends_at": _iso(now + timedelta(days=3, hours=3)),
        },
    )["id"]
    hub.post(f"{shop}/coordinations/{coordination}/sessions/{session}/items", {"items": list(items.values())})
    place = hub.get(f"/-/pickup{shop}/places")["items"][0]["id"]
    hub.post(
        f"/-/pickup{shop}/sale-sessions/{session}/slots",
        {
            "place_id": place,
            "begins_at": _iso(now + timedelta(days=3)),
            "ends_at": _iso(now + timedelta(days=3, hours=3)),
        },
    )
    console.print(spoken("[bold]Sale[/bold] open with {count} items, one pickup slot", count=len(items)))
    return StorySale(coordination, session, items)


def _prices() -> dict[str, int]:
    """The hub's prices in cents, by reference: the prices of the list plus 15 %."""
    with LIST.open(encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    return {row["sku"]: half_up(Decimal(row["price"].replace(",", ".")) * 115) for row in rows}


def _race(console: Console, url: str, region: DemoRegion, sale: StorySale) -> Counter[str]:
    """Shoppers order concurrently. Each wants one of three crates, and orders without it once they are sold out."""
    shoppers = [shopper.somebody.email for shopper in region.shoppers[:SHOPPERS]]
    visitors = [_visitor(url, email) for email in shoppers]
    with ThreadPoolExecutor(SHOPPERS) as pool:
        outcomes = Counter(
            pool.map(lambda numbered: _shop(numbered[1], sale, random.Random(numbered[0])), enumerate(visitors))
        )
    for visitor in visitors:
        visitor.close()
    message = "[bold]Orders[/bold] {having} with the rare crate, {lacking} without"
    console.print(spoken(message, having=outcomes["with"], lacking=outcomes["without"]))
    return outcomes


def _shop(visitor: Visitor, sale: StorySale, chance: random.Random) -> str:
    usual = {sale.items[sku]: chance.randint(1, 3) for sku in chance.sample(sorted(set(sale.items) - {RARE}), 4)}
    result = "with"
    answer = _order(visitor, sale, {**usual, sale.items[RARE]: 1})
    if answer.status_code == 409 and answer.json()["code"] == "sold_out":
        result, answer = "without", _order(visitor, sale, usual)
    if answer.status_code != 201:
        message = "{name} could not order: {status} {answer}"
        raise Unexpected(spoken(message, name=visitor.name, status=answer.status_code, answer=answer.text))
    order = answer.json()["order"]
    payment = visitor.post(f"/me/orders/{order['id']}/payments", {"method": "cash:cash"})
    if payment["state"] != "Pending":
        raise Unexpected(spoken("{name} was not told how to pay: {answer}", name=visitor.name, answer=payment))
    return result


def _order(visitor: Visitor, sale: StorySale, items: dict[str, int]) -> Any:
    """Asks for a quote, then orders at its total."""
    options = visitor.post(f"/sale-sessions/{sale.session}/quote", {"items": items})["shipping_options"]
    shipping = next(iter(options))
    quote = visitor.post(f"/sale-sessions/{sale.session}/quote", {"items": items, "shipping": shipping})
    me = visitor.get("/me")
    wish = {"items": items, "name": me["name"], "email": me["email"], "shipping": shipping}
    total = {"total": quote["totals"]["total"], "payment_method": "cash:cash"}
    return visitor.ask("POST", f"/sale-sessions/{sale.session}/orders", {**wish, **total})


def _change_minds(console: Console, hub: Visitor, hub_id: str, sale: StorySale) -> None:
    """One order is cancelled, one gets more, and the chickens are weighed."""
    shop = f"/enterprises/{hub_id}"
    orders = hub.get(f"{shop}/sale-sessions/{sale.session}/orders")["items"]
    first, second, *unchanged = (hub.get(f"{shop}/orders/{row['id']}") for row in orders)
    hub.post(f"{shop}/orders/{first['id']}/cancel", {}, version=first["version"])
    items = {line["item_id"]: line["quantity"] for line in second["lines"]}
    items[sale.items["CHA-25"]] = items.get(sale.items["CHA-25"], 0) + 2
    hub.patch(f"{shop}/orders/{second['id']}", {"items": items}, version=second["version"])
    weighed_count = 0
    for order in unchanged:
        weights = {line["id"]: f"{1.87 * line['quantity']:.3f}" for line in order["lines"] if line["weighed"]}
        if weights:
            hub.post(f"{shop}/orders/{order['id']}/weights", {"weights": weights}, version=order["version"])
            weighed_count += 1
    console.print(spoken("[bold]Hub[/bold] cancelled an order, enlarged one, weighed {count}", count=weighed_count))


def _close(console: Console, instance: Instance, hub: Visitor, hub_id: str, sale: StorySale) -> None:
    """Closes the sale, checks that a late order is refused, and has all orders paid in cash and handed over."""
    shop = f"/enterprises/{hub_id}"
    path = f"{shop}/coordinations/{sale.coordination}"
    current = hub.get(path)
    hub.patch(path, {"closes_at": _iso(instance.clock.now())}, version=current["version"])
    order = {"items": {sale.items["CHA-1"]: 1}, "name": "Trop tard", "email": "late@example.org"}
    late_answer = hub.ask("POST", f"/sale-sessions/{sale.session}/orders", order)
    if (late_answer.status_code, late_answer.json()["code"]) != (409, "closed"):
        message = "an order after the close was answered {status} {answer}"
        raise Unexpected(spoken(message, status=late_answer.status_code, answer=late_answer.text))
    tick(instance, work_of(instance))
    handed_count = 0
    for order_ in hub.get(f"{shop}/sale-sessions/{sale.session}/orders")["items"]:
        if order_["state"] == "Cancelled":
            continue
        if order_["state"] != "Complete":
            message = "order {number} is {state} after the close"
            raise Unexpected(spoken(message, number=order_["number"], state=order_["state"]))
        payment = {"method": "cash:cash", "amount": order_["total"]}
        hub.post(f"{shop}/orders/{order_['id']}/payments", payment)
        paid = hub.get(f"{shop}/orders/{order_['id']}")
        hub.post(f"{shop}/orders/{order_['id']}/hand-over", {"at_estimate": True}, version=paid["version"])
        handed_count += 1
    tick(instance, work_of(instance))
    message = "[bold]Closed[/bold] a late order was refused, {count} orders were paid and handed over"
    console.print(spoken(message, count=handed_count))


def _print_lists(console: Console, instance: Instance, hub_id: str, sale: StorySale) -> None:
    with instance.store.read() as tx:
        shares = list(parcels(tx, hub_id, sale.session))
        deliveries = product_totals(tx, hub_id, sale.session)
    print_distribution(shares, deliveries, currency=instance.settings.currency, language=instance.settings.language)


def _check(console: Console, instance: Instance, outcomes: Counter[str]) -> bool:
    """Checks that three shoppers got the crates, that everybody got an e-mail, and that no invariant is broken."""
    problems: list[str] = []
    if outcomes != {"with": 3, "without": SHOPPERS - 3}:
        problems.append(spoken("three shoppers should have got the rare crate, not {count}", count=outcomes["with"]))
    mails = len(list((instance.folder / "mail").glob("*.eml")))
    if mails < SHOPPERS:
        text = "{count} shoppers ordered, but only {mails} e-mails were written"
        problems.append(spoken(text, count=SHOPPERS, mails=mails))
    with instance.store.read() as tx:
        problems.extend(told(problem) for problem in broken_invariants(tx, instance.hooks))
    for text in problems:
        console.print(spoken("[red]wrong[/red] {problem}", problem=text))
    if not problems:
        text = "[green]All is well[/green]: nothing oversold, {mails} e-mails, and every journal adds up."
        console.print(spoken(text, mails=mails))
    return not problems


def _iso(moment: datetime) -> str:
    return str(moment.isoformat())


@contextmanager
def live(instance: Instance, *, port: int = 0) -> Iterator[str]:
    """Serves on a loopback port, by default a free one, without the worker. Yields the URL; stops after the block."""
    ready, address, servers = threading.Event(), list[str](), list[uvicorn.Server]()

    def remember(url: str) -> None:
        address.append(url)
        ready.set()

    thread = threading.Thread(
        target=serve,
        args=(instance,),
        kwargs={"port": port, "jobs": False, "started": remember, "running": servers.append},
    )
    thread.start()
    ready.wait(timeout=30)
    try:
        yield address[0]
    finally:
        servers[0].should_exit = True
        thread.join()
