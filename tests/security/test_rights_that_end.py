"""Who is shut out while a request is on its way does nothing with it any more.

Rights are asked for before a body is read, and a body may take twenty seconds: without asking again, a member who was
removed, or a thief whose session was ended, could hold requests ready and finish them afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import msgspec
import pytest
from sqlalchemy import insert, select
from starlette.types import ASGIApp, Message

from commensal.api import handler
from commensal.base.clock import ManualClock
from commensal.enterprises.members import change_role, remove_member
from commensal.enterprises.tables import customer_category, enterprise_member
from commensal.enterprises.tokens import make_token, revoke_token
from commensal.parts.serving.app import make_app
from commensal.people.actor import ROLES
from commensal.people.people import NewPerson, Person, add_person, disable_person
from commensal.people.sessions import begin_session, revoke_sessions
from commensal.people.tables import person
from commensal.storage.database import Transaction
from commensal.testing.instances import NOON, Instances, Plan, RunJobs, client_of
from commensal.testing.shop import Shop, open_shop

Happens = Callable[[Transaction, "Hub"], object]


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A hub with a manager who is logged in, and has a token. Both secrets stand in the headers that send them."""

    app: ASGIApp
    shop: Shop
    clock: ManualClock
    manager: Person
    session: tuple[bytes, bytes]
    token: tuple[bytes, bytes]
    token_id: str

    def categories(self) -> list[str]:
        with self.shop.instance.store.read() as tx:
            return [row["name"] for row in tx.all(select(customer_category.c.name))]

    def name_of_manager(self) -> str:
        with self.shop.instance.store.read() as tx:
            return str(tx.value(select(person.c.name).where(person.c.id == self.manager.id)))


@dataclass
class Slow:
    """A client whose body comes some seconds after its head; `meanwhile` happens in between."""

    hub: Hub
    proof: tuple[bytes, bytes]
    meanwhile: Happens
    seconds: int = 5
    answers: list[Any] = field(default_factory=list)

    def post(self, path: str, body: bytes, media_type: str) -> tuple[int, bytes]:
        """Returns the status, and where the answer leads or what it says."""
        headers = [
            (b"host", b"testserver"),
            (b"origin", b"http://testserver"),
            (b"content-type", media_type.encode()),
            (b"content-length", str(len(body)).encode()),
            self.proof,
        ]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "client": ("192.0.2.9", 1),
            "server": ("testserver", 80),
        }
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            message = next(messages)
            self.hub.clock.advance(seconds=self.seconds)
            with self.hub.shop.instance.store.write() as tx:
                self.meanwhile(tx, self.hub)
            return message

        async def send(message: Message) -> None:
            self.answers.append(message)

        anyio.run(self.hub.app, scope, receive, send)
        start = self.answers[0]
        return start["status"], dict(start["headers"]).get(b"location", self.answers[1].get("body", b""))


@pytest.fixture
def hub(commensal_instances: Instances, tmp_path: Path) -> Iterator[Hub]:
    clock, plan = ManualClock(NOON), Plan(plugins=("shop", "office"))
    with commensal_instances.open(tmp_path / "val", plan, clock=clock) as instance:
        app = make_app(instance)
        with client_of(app) as client:
            shop = open_shop(instance, client, RunJobs(instance, clock), plan, "alpha")
            new = NewPerson(email="max@example.org", name="Max", phone="", language="en", password_hash="")
            with instance.store.write() as tx:
                manager = add_person(tx, new, confirmed=True)
                assert manager is not None
                row = {"enterprise_id": shop.id, "person_id": manager.id, "role": "manager", "since": tx.now}
                tx.execute(insert(enterprise_member).values(row))
                session = begin_session(tx, manager).secret
                made = make_token(tx, manager.id, name="Till", scopes=ROLES["manager"], enterprise_id=shop.id)
            yield Hub(
                app=app,
                shop=shop,
                clock=clock,
                manager=manager,
                session=(b"cookie", f"session={session}".encode()),
                token=(b"authorization", f"Bearer {made.secret}".encode()),
                token_id=made.token.id,
            )


def nothing(tx: Transaction, hub: Hub) -> None:
    """Nobody is shut out."""


def removed(tx: Transaction, hub: Hub) -> None:
    remove_member(tx, hub.shop.id, hub.manager.id)


def made_packer(tx: Transaction, hub: Hub) -> None:
    change_role(tx, hub.shop.id, hub.manager.id, role="packer")


def logged_out(tx: Transaction, hub: Hub) -> None:
    revoke_sessions(tx, hub.manager.id)


def locked(tx: Transaction, hub: Hub) -> None:
    disable_person(tx, hub.manager.id)


def token_revoked(tx: Transaction, hub: Hub) -> None:
    revoke_token(tx, hub.manager.id, hub.token_id)


@pytest.mark.parametrize(
    ("proof", "happens", "status"),
    [
        ("session", nothing, 201),
        ("session", removed, 404),
        ("session", made_packer, 403),
        ("session", logged_out, 401),
        ("session", locked, 401),
        ("token", nothing, 201),
        ("token", token_revoked, 401),
        ("token", removed, 404),
    ],
)
def test_who_is_shut_out_before_their_body_has_come_changes_nothing(
    hub: Hub, proof: str, happens: Happens, status: int
) -> None:
    slow = Slow(hub, getattr(hub, proof), happens)
    body = msgspec.json.encode({"name": "Neighbours"})
    assert slow.post(f"/api/enterprises/{hub.shop.id}/customer-categories", body, "application/json")[0] == status
    assert hub.categories() == (["Neighbours"] if happens is nothing else [])


def test_without_asking_again_a_member_who_was_removed_would_still_act(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "RIGHTS_LAST", timedelta(days=1))
    body = msgspec.json.encode({"name": "Neighbours"})
    path = f"/api/enterprises/{hub.shop.id}/customer-categories"
    assert Slow(hub, hub.session, removed).post(path, body, "application/json")[0] == 201
    assert hub.categories() == ["Neighbours"]


@pytest.mark.parametrize(("happens", "name"), [(nothing, "Moritz"), (logged_out, "Max"), (locked, "Max")])
def test_a_form_that_comes_after_its_session_has_ended_changes_nothing(hub: Hub, happens: Happens, name: str) -> None:
    form = urlencode({"name": "Moritz", "phone": "", "language": "en", "version": str(hub.manager.version)}).encode()
    status, location = Slow(hub, hub.session, happens).post("/account/me", form, "application/x-www-form-urlencoded")
    assert (status, location.startswith(b"/login")) == (303, happens is not nothing)
    assert hub.name_of_manager() == name
