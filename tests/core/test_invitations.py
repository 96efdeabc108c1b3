"""Invitations: asking people to become members, and what an enterprise learns of an address before that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from commensal.enterprises.enterprises import create_enterprise
from commensal.enterprises.members import add_member, change_role, list_members, remove_member
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Wish
from commensal.parts.membership.invitations import (
    accept_invitation,
    decline_invitation,
    forget_invitations,
    invitations_of,
    invitations_to,
    invite,
    withdraw_invitation,
)
from commensal.people.actor import ROLES
from commensal.people.people import Person, disable_person
from commensal.storage.database import Store
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item

Somebody = Callable[..., Person]


@pytest.fixture(autouse=True)
def shop(store: Store) -> None:
    with store.write() as tx:
        a_shop(tx)


def invite_by_email(store: Store, email: str, role: str = "packer") -> str:
    with store.write() as tx:
        return invite(tx, "shop", email=email, role=role, language="en", person_id=None)


def test_who_is_invited_becomes_a_member_by_their_own_word(store: Store, somebody: Somebody) -> None:
    eve = somebody("Eve")
    assert invite_by_email(store, " EVE@example.org ") == eve.email
    with store.write() as tx:
        assert list_members(tx, "shop") == []
        (invitation,) = invitations_to(tx, eve.id)
        assert (invitation.enterprise_name, invitation.role) == ("shop", "packer")
        assert accept_invitation(tx, eve.id, invitation.id).role == "packer"
        assert invitations_of(tx, "shop") == []
        with pytest.raises(NotFound):
            accept_invitation(tx, eve.id, invitation.id)


def test_who_takes_over_what_a_hub_has_made_decides_alone_who_else_runs_it(store: Store, somebody: Somebody) -> None:
    founder, farmer, helper = somebody("Marie"), somebody("Tom"), somebody("Eve")
    with store.write() as tx:
        farm = create_enterprise(
            tx, owner_id=founder.id, name="La ferme", currency="EUR", language="fr", timezone="UTC"
        ).id
    with store.write() as tx:
        add_member(tx, farm, email=helper.email, role="packer")
        invite(tx, farm, email=farmer.email, role="owner", language="fr", person_id=founder.id, invited_by="Le Panier")
        (invitation,) = invitations_to(tx, farmer.id)
        accept_invitation(tx, farmer.id, invitation.id)
        assert {member.email: member.role for member in list_members(tx, farm)} == {
            farmer.email: "owner",
            helper.email: "packer",
        }
        kinds = [row["payload"]["kind"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
        assert kinds[-1] == "member_removed", "who made it is told"


def test_an_invitation_is_for_its_address_alone(store: Store, somebody: Somebody) -> None:
    eve, zoe, unconfirmed = somebody("Eve"), somebody("Zoe"), somebody("Uma", confirmed=False)
    invite_by_email(store, eve.email)
    invite_by_email(store, unconfirmed.email)
    with store.write() as tx:
        invitation, of_unconfirmed = invitations_of(tx, "shop")
        with pytest.raises(NotFound):
            accept_invitation(tx, zoe.id, invitation.id)
        assert invitations_to(tx, unconfirmed.id) == []
        with pytest.raises(Forbidden, match="confirm"):
            accept_invitation(tx, unconfirmed.id, of_unconfirmed.id)


@pytest.mark.parametrize("loses", ["membership", "role", "account"])
def test_an_invitation_of_who_may_not_invite_any_more_lets_nobody_in(
    store: Store, somebody: Somebody, loses: str
) -> None:
    """Else who is removed on Monday comes back on Tuesday, by an address that they invited on Sunday."""
    ada, bob, eve, zoe = somebody("Ada"), somebody("Bob"), somebody("Eve"), somebody("Zoe")
    with store.write() as tx:
        add_member(tx, "shop", email=ada.email, role="owner")
        add_member(tx, "shop", email=bob.email, role="owner")
        invite(tx, "shop", email=eve.email, role="owner", language="en", person_id=bob.id)
        invite(tx, "shop", email=zoe.email, role="packer", language="en", person_id=ada.id)
        (of_eve,) = invitations_to(tx, eve.id)
        if loses == "membership":
            remove_member(tx, "shop", bob.id, by=ada.id)
        elif loses == "role":
            change_role(tx, "shop", bob.id, role="packer", by=ada.id)
        else:
            disable_person(tx, bob.id)
    with store.write() as tx:
        assert invitations_to(tx, eve.id) == []
        assert [each.email for each in invitations_of(tx, "shop")] == [zoe.email]
        with pytest.raises(NotFound):
            accept_invitation(tx, eve.id, of_eve.id)
        assert accept_invitation(tx, zoe.id, invitations_to(tx, zoe.id)[0].id).role == "packer"
        invite(tx, "shop", email=eve.email, role="packer", language="en", person_id=ada.id)
        assert accept_invitation(tx, eve.id, invitations_to(tx, eve.id)[0].id).role == "packer", "asked again by Ada"


def test_an_invitation_is_declined_withdrawn_and_expires(store: Store, clock: ManualClock, somebody: Somebody) -> None:
    eve = somebody("Eve")
    for email in (eve.email, "a@example.org", "b@example.org"):
        invite_by_email(store, email)
    with store.write() as tx:
        first, second, of_eve = invitations_of(tx, "shop")
        decline_invitation(tx, eve.id, of_eve.id)
        withdraw_invitation(tx, "shop", first.id)
        with pytest.raises(NotFound):
            withdraw_invitation(tx, "another", second.id)
        assert [invitation.email for invitation in invitations_of(tx, "shop")] == ["b@example.org"]
    clock.advance(days=14)
    with store.write() as tx:
        assert invitations_of(tx, "shop") == []
        assert forget_invitations(tx) == 1


def test_a_second_invitation_renews_the_first_and_a_member_needs_none(store: Store, somebody: Somebody) -> None:
    eve = somebody("Eve")
    invite_by_email(store, eve.email)
    invite_by_email(store, eve.email, "manager")
    with store.write() as tx:
        (invitation,) = invitations_to(tx, eve.id)
        assert accept_invitation(tx, eve.id, invitation.id).role == "manager"
    invite_by_email(store, eve.email, "owner")
    with store.write() as tx:
        (invitation,) = invitations_to(tx, eve.id)
        with pytest.raises(Conflict, match="already"):
            accept_invitation(tx, eve.id, invitation.id)


def test_mistakes_are_named(store: Store) -> None:
    with store.write() as tx, pytest.raises(Invalid) as error:
        invite(tx, "shop", email="nobody", role="king", language="en", person_id=None)
    assert {problem.where for problem in error.value.problems} == {"/email", "/role"}


# ------------------------------------------------------------------------------------------------ what is told


@pytest.fixture
def owner(store: Store, client: TestClient, somebody: Somebody) -> TestClient:
    """A client with the token of the shop's owner."""
    olga = somebody("Olga")
    with store.write() as tx:
        row = {"enterprise_id": "shop", "person_id": olga.id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(row))
        token = make_token(tx, olga.id, name="x", scopes=[*ROLES["owner"]])
    client.headers["Authorization"] = f"Bearer {token.secret}"
    return client


def test_inviting_does_not_tell_who_has_an_account(store: Store, owner: TestClient, somebody: Somebody) -> None:
    known_email = somebody("Eve").email
    responses = [
        owner.post("/api/enterprises/shop/members", json={"email": email, "role": "packer"})
        for email in (known_email, "nobody@example.org")
    ]
    assert [(response.status_code, sorted(response.json())) for response in responses] == [(202, ["to"])] * 2
    with store.read() as tx:
        payloads = [row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail"))]
    assert {payload.pop("to") for payload in payloads} == {known_email, "nobody@example.org"}
    assert payloads[0] == payloads[1], "nor does the mail"


def test_adding_a_member_at_once_would_tell(store: Store, somebody: Somebody) -> None:
    """Disables the guard: this is why invitations exist."""
    eve = somebody("Eve")
    with store.write() as tx:
        with pytest.raises(Refused):
            add_member(tx, "shop", email="nobody@example.org", role="packer")
        assert add_member(tx, "shop", email=eve.email, role="packer").name == "Eve"


def test_writing_a_customer_down_does_not_tell_it_either(store: Store, owner: TestClient, somebody: Somebody) -> None:
    eve = somebody("Eve")

    def add(email: str) -> Any:
        return owner.post("/api/enterprises/shop/customers", json={"email": email}).json()

    known_customer, unknown_customer = add(eve.email), add("nobody@example.org")
    assert (known_customer["person_id"], unknown_customer["person_id"]) == (None, None)
    customers = owner.get("/api/enterprises/shop/customers").json()["items"]
    assert [customer_read["person_id"] for customer_read in customers] == [None, None]
    with store.write() as tx:
        item = an_item(tx, a_lot(tx, on_hand="9"), name="Carottes")
    hooks = owner.app.state.instance.hooks  # type: ignore[attr-defined]
    with store.write() as tx:
        place_order(tx, hooks, "shop-session", Wish(items={item: 1}, name="E", email=eve.email), person_id=eve.id)
    body = owner.get(f"/api/enterprises/shop/customers/{known_customer['id']}").json()
    assert body["person_id"] == eve.id, "ordering with an account reveals it"


def test_taking_an_order_for_somebody_does_not_tell_it_either(
    store: Store, owner: TestClient, somebody: Somebody
) -> None:
    eve = somebody("Eve")
    with store.write() as tx:
        item = an_item(tx, a_lot(tx, on_hand="9"), name="Carottes")
    session = "/api/enterprises/shop/sale-sessions/shop-session"
    wish = {"items": {item: 1}, "name": "E", "email": eve.email}
    taken = owner.post(f"{session}/orders", json=wish, headers={"Idempotency-Key": "1"})
    assert taken.status_code == 201, taken.text
    order = f"/api/enterprises/shop/orders/{taken.json()['id']}"
    changed = owner.patch(order, json={"note": "at the back"}, headers={"If-Match": taken.headers["ETag"]})
    pages = (
        "/api/enterprises/shop/customers",
        "/api/enterprises/shop/audit",
        f"{session}/orders",
        f"{session}/distribution",
        order,
    )
    for answer in (taken, changed, *(owner.get(page) for page in pages)):
        assert answer.status_code == 200 or answer is taken, answer.text
        assert eve.id not in answer.text, answer.url
    with store.read() as tx:
        assert order_by_id(tx, taken.json()["id"], person_id=eve.id).number == 1, "it is in her history"
