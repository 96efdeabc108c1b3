"""Four people who order, pay and change their minds, and repeat a request whenever they get no answer.

The answers are recorded: the instance must stand by them, however often it is killed.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .lifeline import Lifeline
from .till import Book, Entry

WAYS = ("till:card", "till:card", "till:page", "cash:cash")


@dataclass
class Told:
    """Answers to people: number and total of their orders by id; their payments and refunds."""

    orders: dict[str, tuple[int, int]] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)  # ids of payments
    refused: int = 0  # sold out
    odd: list[str] = field(default_factory=list)  # answers that nobody should ever get


@dataclass(frozen=True)
class Answer:
    status: int
    said: Any
    etag: str = ""


class Left(Exception):
    """A shopper stops while waiting for an answer that will not come."""


@dataclass
class Shopper:
    """`folder` is the shop's; `ways` are the methods of payment to choose from; `moody` is the share of times that a
    shopper cancels, presses a button twice, or wants honey too.
    """

    line: Lifeline
    folder: Path
    told: Told
    seed: str
    ways: Sequence[str] = WAYS
    moody: float = 0.3
    email: str = "ada@example.org"
    called_away: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        shop = json.loads((self.folder / "shop.json").read_text())
        self._items, self._owner = shop["items"], {"Authorization": f"Bearer {shop['token']}"}
        self._random, self._book = random.Random(self.seed), Book(self.folder / "till")

    def shop(self, enough: threading.Event) -> None:
        """Buys once, and again until `enough` is set."""
        try:
            self._buy()
            while not enough.is_set():
                self._buy()
        except Left:
            return
        except Exception as error:  # an error of the test itself must not look like success
            self.told.odd.append(f"a shopper gave up: {error!r}")

    def _buy(self) -> None:
        goods = {self._items["apples"]: self._random.randint(1, 5)}
        if self._random.random() < self.moody:
            goods[self._items["honey"]] = 1
        wish = {"items": goods, "name": "Ada", "email": self.email, "language": "en"}
        answer = self._ask("POST", "/api/sale-sessions/shop-session/orders", wish)
        if answer.status == 409:
            self.told.refused += 1
            return
        order, secret = answer.said["order"], answer.said["secret"]
        self.told.orders[order["id"]] = (order["number"], order["total"])
        paid = self._pay(secret, order)
        if self._random.random() < self.moody:
            self._cancel(secret)
            if paid:
                self._take_back(paid, order["total"])

    def _pay(self, secret: str, order: Mapping[str, Any]) -> str:
        """Returns the id of the payment that has arrived, or an empty text. An impatient shopper presses the button
        twice.
        """
        method, path = self._random.choice(self.ways), f"/api/guest-orders/{secret}/payments"
        answer = self._ask("POST", path, {"method": method}, impatient=self._random.random() < self.moody)
        if answer.status == 409:  # an earlier one has arrived, of which the answer was lost
            return ""
        payment = answer.said
        if payment["state"] == "Started":
            self.told.odd.append(f"payment {payment['id']} was begun, and nobody was asked")
        if method == "till:page" and payment["state"] == "Pending":
            entry = Entry("charged", payment["id"], payment["amount"])
            if self._book.write(payment["id"], entry).kind == "charged":  # nobody pays on a closed page
                self._tell(payment)
                self.told.paid.add(payment["id"])
                return str(payment["id"])
        if payment["state"] == "Done":
            self.told.paid.add(payment["id"])
            return str(payment["id"])
        return ""

    def _tell(self, payment: Mapping[str, Any]) -> None:
        """Sends the provider's message until it is answered."""
        update = {"payment_id": payment["id"], "state": "Done", "amount": payment["amount"], "currency": "EUR"}
        self._ask("POST", "/-/till/webhook/shop", update)

    def _cancel(self, secret: str) -> None:
        while True:
            answer = self._ask("GET", f"/api/guest-orders/{secret}")
            if answer.said["state"] == "Cancelled":
                return
            self._ask("POST", f"/api/guest-orders/{secret}/cancel", {}, headers={"If-Match": answer.etag})

    def _take_back(self, payment: str, amount: int) -> None:
        path = f"/api/enterprises/shop/payments/{payment}/refund"
        self._ask("POST", path, {"amount": amount, "anyway": True}, headers=self._owner)

    def _ask(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] = {}, impatient: bool = False
    ) -> Answer:
        """Sends a request with one key until there is an answer; if `impatient`, with a new key each time."""
        key, life = uuid.uuid4().hex, 0
        content = None if body is None else json.dumps(body).encode()
        while True:
            url, life = self.line.url(tried=life)
            if self.called_away.is_set():
                raise Left
            sent = {"Content-Type": "application/json", "Idempotency-Key": key, **headers}
            try:
                answer = _once(url, method, path, content, sent)
            except (OSError, http.client.HTTPException):
                key = uuid.uuid4().hex if impatient else key
                continue
            if (answer.status >= 500 and answer.status != 503) or answer.status in (400, 401, 403, 404, 422, 429):
                self.told.odd.append(f"{method} {path}: {answer.status} {answer.said}")
            if answer.status != 503:
                return answer


def _once(url: str, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, path, content, dict(headers))
        answer = connection.getresponse()
        answer_body = answer.read()
        return Answer(answer.status, json.loads(answer_body) if answer_body else None, answer.headers.get("ETag", ""))
    finally:
        connection.close()


class Crowd:
    """All shoppers at once, each in a thread."""

    def __init__(self, shoppers: Sequence[Shopper]) -> None:
        self.enough, self._shoppers = threading.Event(), shoppers
        self._threads = [
            threading.Thread(target=shopper.shop, args=(self.enough,), daemon=True) for shopper in shoppers
        ]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """They finish what they have begun, and begin nothing new."""
        self.enough.set()
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "a shopper waits for an answer that never comes"

    def leave(self) -> None:
        """All stop, whatever they wait for: the test has failed, and the next life is another shop's."""
        for shopper in self._shoppers:
            shopper.called_away.set()
