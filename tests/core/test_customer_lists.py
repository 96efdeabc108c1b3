"""Customers from a spreadsheet: all of a list or nothing of it, with every mistake by its row."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from commensal.base.errors import Invalid, Refused
from commensal.enterprises.customer_categories import create_category, list_categories
from commensal.enterprises.customers import create_customer, customer_by_email, list_customers
from commensal.parts.membership.customer_lists import import_customers, read_customers
from commensal.storage.database import Store

from .test_product_lists_api import a_token

LIST = """E-mail;Prénom;Nom;Téléphone;N° d'adhérent;Groupes;Remarque
corinne@example.org;Corinne;Clerc;06 39 98 58 66;M-1;Adhérents, Bénévoles;Sonne deux fois
Bob@Example.org;;Bob Le Goff;;M-2;adherents;
"""


@pytest.fixture
def hub(village: Any) -> str:
    return "hub"


def customers(store: Store) -> list[tuple[str, str, str | None]]:
    with store.read() as tx:
        return [(each.email, each.name, each.code) for each in list_customers(tx, "hub")]


def test_a_list_adds_customers_with_their_groups(store: Store, hub: str) -> None:
    with store.write() as tx:
        members = create_category(tx, hub, name="Adhérents")
        report = import_customers(tx, hub, read_customers(LIST.encode("cp1252")))
        corinne, bob = (customer_by_email(tx, hub, f"{name}@example.org") for name in ("corinne", "bob"))
        groups = {group.name: group.id for group in list_categories(tx, hub)}
    assert (report.created, report.changed, report.new_groups) == (2, 0, ("Bénévoles",))
    assert (corinne.name, corinne.phone, corinne.note) == ("Corinne Clerc", "06 39 98 58 66", "Sonne deux fois")
    assert corinne.categories == {members.id, groups["Bénévoles"]}
    assert bob.categories == {members.id}


def test_who_is_there_keeps_what_the_list_leaves_empty(store: Store, hub: str) -> None:
    with store.write() as tx:
        old = create_category(tx, hub, name="Anciens")
        create_customer(tx, hub, email="bob@example.org", name="Bob", phone="0102030405", categories=[old.id])
        report = import_customers(tx, hub, read_customers(LIST.encode()))
        bob = customer_by_email(tx, hub, "bob@example.org")
        assert [each.email for each in list_customers(tx, hub, search="goff")] == ["bob@example.org"]
    assert (report.created, report.changed) == (1, 1)
    assert (bob.name, bob.phone, bob.code, bob.version) == ("Bob Le Goff", "0102030405", "M-2", 2)
    assert old.id in bob.categories
    assert len(bob.categories) == 2


def test_every_mistake_is_named_by_its_row_and_nothing_is_written(store: Store, hub: str) -> None:
    content = (
        "email\tname\tnumber\ttelephone\n"
        "nobody\tA\t1\n"
        "ada@example.org\tAda\t2\n"
        "ada@example.org\tAda again\t3\n"
        f"bea@example.org\t{'x' * 201}\t2\n"
        "cem@example.org\tCem\tTAKEN\tby the mill\n"
    )
    with store.write() as tx:
        create_customer(tx, hub, email="eve@example.org", code="TAKEN")
        report = import_customers(tx, hub, read_customers(content.encode()), dry_run=True)
        with pytest.raises(Invalid) as error:
            import_customers(tx, hub, read_customers(content.encode()))
    rows = [(problem.values["row"], problem.code) for problem in report.problems]
    assert rows == [(2, "email"), (4, "twice"), (5, "too_long"), (5, "code_taken"), (6, "phone"), (6, "code_taken")]
    assert len(error.value.problems) == len(rows)
    assert customers(store) == [("eve@example.org", "", "TAKEN")]


@pytest.mark.parametrize(
    "content",
    [b"", b"name;phone\nAda;1\n", b'email,name\n"ada@example.org,Ada\n', b"email\n" + b"a@example.org\n" * 1001],
)
def test_what_is_no_list_of_customers_is_refused(store: Store, hub: str, content: bytes) -> None:
    with store.write() as tx, pytest.raises(Refused):
        import_customers(tx, hub, read_customers(content))
    assert customers(store) == []


def test_the_number_of_statements_does_not_grow_with_the_list(store: Store, hub: str) -> None:
    counts = []
    for size in (1, 100):
        content = "email,name,groups\n" + "".join(f"c{size}-{n}@example.org,C,Members\n" for n in range(size))
        statements: list[str] = []

        def note(*args: Any, statements: list[str] = statements) -> None:
            statements.append(args[2])

        with store.write() as tx:
            import_customers(tx, hub, read_customers(b"email,name,groups\nfirst@example.org,F,Members\n"))
            event.listen(store.engine, "before_cursor_execute", note)
            import_customers(tx, hub, read_customers(content.encode()))
            event.remove(store.engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 1


def test_over_the_api_a_list_is_tried_then_brought(client: TestClient, store: Store, hub: str) -> None:
    manager = a_token(store, "ada", "customers:write")
    path, list_ = f"/api/enterprises/{hub}/customer-list", LIST.encode()
    for dry_run in ("true", "false"):
        answer = client.post(path, params={"dry_run": dry_run}, content=list_, headers=manager)
        assert (answer.status_code, answer.json()["created"]) == (200, 2)
    assert len(customers(store)) == 2


def test_a_list_is_read_before_the_turn_to_write(client: TestClient, store: Store, hub: str) -> None:
    """While others write, so that a large list holds nobody up: one that cannot be read is refused meanwhile."""
    manager = a_token(store, "ada", "customers:write")
    with store.write() as tx:
        create_category(tx, hub, name="Members")
        answer = client.post(f"/api/enterprises/{hub}/customer-list", content=b"name\nAda\n", headers=manager)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_email_column")
