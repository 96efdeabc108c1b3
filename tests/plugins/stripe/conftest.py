"""A shop that takes cards through Stripe, a guest who buys there, and Stripe on this machine."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.enterprises.tokens import make_token
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.orders.tables import customer_order
from commensal.parts.checks import broken_invariants
from commensal.payments.journal import journal_entries
from commensal.payments.problems import open_problems
from commensal.people.people import NewPerson, add_person
from commensal.storage.database import Store
from commensal.testing.instances import RunJobs
from commensal.testing.placed import a_lot, a_shop, an_item

from .provider import KEY, SIGNING, Provider, localstripe, serve_provider, signed

METHOD = "stripe:checkout"
CHOSEN = {"secret_key": KEY, "webhook_secret": SIGNING}


@pytest.fixture(scope="session")
def behind() -> Iterator[str]:
    with localstripe() as address:
        yield address


@pytest.fixture
def stripe(behind: str) -> Iterator[Provider]:
    with serve_provider(behind) as provider:
        yield provider


@pytest.fixture
def settings(settings: InstanceSettings, stripe: Provider) -> InstanceSettings:
    return InstanceSettings(
        name="Test",
        base_url=settings.base_url,
        language="en",
        limits=settings.limits,
        plugins={"enabled": ["shop", "cash", "stripe"], "stripe": {"api_base": stripe.url, "timeout": 2.0}},
    )


@pytest.fixture
def instance(
    settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> Iterator[Instance]:
    instance = Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)
    yield instance
    instance.hooks.flush_failures()


@dataclass(frozen=True)
class Bought:
    """A guest's order, and the secret that opens it."""

    id: str
    secret: str


class Stall:
    """A shop with ten apples at 2.50, its owner and its guests. Everything goes over HTTP."""

    def __init__(self, instance: Instance, client: TestClient, clock: ManualClock, stripe: Provider) -> None:
        self.instance, self.client, self.stripe = instance, client, stripe
        self.run_jobs = RunJobs(instance, clock)
        self._keys = itertools.count()
        self.token, self.apples = self._open_shop("shop")

    def _open_shop(self, shop: str) -> tuple[str, str]:
        with self.instance.store.write() as tx:
            a_shop(tx, shop, language="en")
            for plugin, plugin_settings in (("stripe", CHOSEN), ("cash", {})):
                row = {"enterprise_id": shop, "plugin": plugin, "settings": plugin_settings, "version": 1}
                tx.execute(insert(enterprise_plugin).values(row))
            new_owner = NewPerson(email=f"{shop}@example.org", name="Olivia", phone="", language="en", password_hash="")
            owner = add_person(tx, new_owner, confirmed=True)
            assert owner is not None
            member = {"enterprise_id": shop, "person_id": owner.id, "role": "owner", "since": tx.now}
            tx.execute(insert(enterprise_member).values(member))
            scopes = frozenset({"payments:read", "payments:write", "orders:read", "orders:write"})
            token = make_token(tx, owner.id, name="Tests", scopes=scopes).secret
            return token, an_item(tx, a_lot(tx, shop, on_hand="10"), shop)

    # ------------------------------------------------------------------------------------ guests

    def buy(self, pieces: int = 4) -> Bought:
        contact = {"name": "Ada", "email": "ada@example.org", "language": "en"}
        body = {"items": {self.apples: pieces}, "payment_method": METHOD, **contact}
        response = self._post("/api/sale-sessions/shop-session/orders", body).json()
        return Bought(response["order"]["id"], response["secret"])

    def choose(self, bought: Bought, method: str = METHOD, **fields: Any) -> dict[str, Any]:
        """Begins a payment. Returns it as the answer has it."""
        answer = self._post(f"/api/guest-orders/{bought.secret}/payments", {"method": method, **fields})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def cancel(self, bought: Bought) -> None:
        path = f"/api/guest-orders/{bought.secret}"
        version = self.client.get(path).headers["etag"]
        assert self._post(f"{path}/cancel", None, {"If-Match": version}).status_code == 200

    def payments(self, bought: Bought) -> dict[str, Any]:
        return dict(self.client.get(f"/api/guest-orders/{bought.secret}/payments").json())

    def states(self, bought: Bought) -> list[str]:
        return [payment["state"] for payment in self.payments(bought)["payments"]]

    # ------------------------------------------------------------------------------------ Stripe, the shop

    def say(self, kind: str, stripe_object: Any, *, shop: str = "shop", **kwargs: Any) -> int:
        """Sends a message of Stripe. Returns the status of our answer."""
        return self.client.post(f"/-/stripe/webhook/{shop}", **signed(kind, stripe_object, **kwargs)).status_code

    def ask(self, path: str, body: Any = None) -> Any:
        """Asks the API as the shop's owner: a POST if there is a body."""
        url, headers = f"/api/enterprises/shop{path}", {"Authorization": f"Bearer {self.token}"}
        return self.client.get(url, headers=headers) if body is None else self._post(url, body, headers)

    def problems(self) -> list[str]:
        return [problem["code"] for problem in self.ask("/payment-problems").json()["items"]]

    def journal(self) -> list[tuple[str, int]]:
        with self.instance.store.read() as tx:
            return [(entry.kind, entry.amount) for entry in journal_entries(tx, "shop")]

    def _post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        all_headers = {"Idempotency-Key": f"key {next(self._keys)}", **(headers or {})}
        return self.client.post(path, json=body, headers=all_headers)

    # ------------------------------------------------------------------------------------

    def neighbour(self) -> None:
        self._open_shop("neighbour")

    def check(self) -> None:
        """Asserts that the books are consistent, and that no customer was charged twice for an order."""
        with self.instance.store.read() as tx:
            assert broken_invariants(tx) == []
            rows = tx.all(select(customer_order).where(customer_order.c.state != "Draft"))
            owed_amounts = [open_problem.amount for open_problem in open_problems(tx) if open_problem.code == "owed"]
        too_much = sum(max(0, row["paid_total"] - row["total"]) for row in rows if row["state"] != "Cancelled")
        too_much += sum(row["paid_total"] for row in rows if row["state"] == "Cancelled")
        assert too_much == sum(owed_amounts), "money that is owed to customers must be told"


@pytest.fixture
def stall(instance: Instance, client: TestClient, clock: ManualClock, stripe: Provider) -> Iterator[Stall]:
    stall = Stall(instance, client, clock, stripe)
    yield stall
    stall.check()
