"""Product lists over the API: dry run, import, export; and who may."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from commensal.base.units.product_types import Concept, near_product_types
from commensal.enterprises.tables import enterprise_member
from commensal.parts.endpoints import product_lists
from commensal.parts.product_lists import cells
from commensal.parts.product_lists.findings import MOST as MOST_SUGGESTED
from commensal.parts.product_lists.lists import PlannedList, plan_list
from commensal.people.tables import api_token, person
from commensal.products.tables import supplied_product
from commensal.storage.database import Store, Transaction

LIST = "/api/enterprises/hub/product-list"
CONTENT = (
    "producteur;nom;catégorie;unités;type d'unité;prix;stock;tva\r\n"
    "hub;Pommes;pomme;1;kg;2,50;10;5,5\r\n"
    "hub;Poires;poire;1;kg;3;20;5,5\r\n"
)
WRONG = CONTENT.replace("2,50", "2,505").replace("poire", "poirre").encode()
Header = dict[str, str]


def a_token(store: Store, name: str, *scopes: str) -> Header:
    """Returns the header of a manager of the hub, with a token of these scopes."""
    hashed = hashlib.sha256(f"cml_{name}".encode()).hexdigest()
    with store.write() as tx:
        values = {"phone": "", "language": "en", "is_operator": False, "created_at": tx.now, "version": 1}
        tx.execute(
            insert(person).values(id=name, email=f"{name}@example.org", name=name, confirmed_at=tx.now, **values)
        )
        token = {"id": name, "hash": hashed, "person_id": name, "name": "test", "scopes": scopes, "created_at": tx.now}
        tx.execute(insert(api_token).values(token))
        tx.execute(insert(enterprise_member).values(enterprise_id="hub", person_id=name, role="manager", since=tx.now))
    return {"Authorization": f"Bearer cml_{name}"}


@pytest.fixture
def manager(store: Store, hamlet: Any) -> Header:
    hamlet.enterprise("hub")
    return a_token(store, "ada", "products:read", "products:write", "catalogs:write")


def test_a_list_is_tried_then_brought_then_taken_home(client: TestClient, manager: Header) -> None:
    content = CONTENT.encode("cp1252")
    report = {
        "created": 2,
        "changed": 0,
        "unchanged": 0,
        "unused": [],
        "mistakes": [],
        "mistakes_in_all": 0,
        "slips": [],
    }
    for dry_run in ("true", "true", "false"):
        answer = client.post(LIST, params={"dry_run": dry_run}, content=content, headers=manager)
        assert (answer.status_code, answer.json()) == (200, report)
    for format, kind in (("csv", "text/csv"), ("xlsx", "application/vnd.openxmlformats")):
        response = client.get(LIST, params={"format": format, "language": "fr"}, headers=manager)
        assert response.headers["content-type"].startswith(kind)
        assert response.headers["content-disposition"] == f'attachment; filename="products.{format}"'
        repeated = client.post(LIST, content=response.content, headers=manager)
        assert repeated.json() == report | {"created": 0, "unchanged": 2}


def test_a_file_of_misspelt_words_costs_few_searches_and_no_writer_waits_for_them(
    client: TestClient, store: Store, manager: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = []

    def search(typed: str, language: str) -> list[Concept]:
        with store.write(patience=0.5):  # another writer: `Busy` while the list is written
            searched.append(typed)
        return near_product_types(typed, language)

    monkeypatch.setattr(cells, "near_product_types", search)
    head, rest = CONTENT.splitlines()[0], ";1;kg;3;20;5,5"
    rows = [f"hub;Poires {number};poirre{number % 400} zork{rest}" for number in range(1000)]
    answer = client.post(LIST, content="\r\n".join([head, *rows]).encode(), headers=manager)
    assert answer.status_code == 422
    assert 0 < len(searched) <= MOST_SUGGESTED
    assert len(answer.json()["errors"]) == 1000, "each mistake is named, with or without a suggestion"


def test_a_list_that_was_planned_before_somebody_changed_a_product_is_refused(
    client: TestClient, store: Store, manager: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.post(LIST, content=CONTENT.encode(), headers=manager).status_code == 200

    def plan(tx: Transaction, *arguments: Any, **options: Any) -> PlannedList:
        planned = plan_list(tx, *arguments, **options)
        with store.write() as other:
            renamed = update(supplied_product).where(supplied_product.c.name == "Pommes")
            other.execute(renamed.values(name="Pommes d’hier", version=supplied_product.c.version + 1))
        return planned

    monkeypatch.setattr(product_lists, "plan_list", plan)
    dearer = CONTENT.replace("Pommes;pomme;1;kg;2,50;10", "Pommes;cidre;1;kg;2,50;10")
    answer = client.post(LIST, content=dearer.encode(), headers=manager)
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")


def test_the_same_key_brings_a_list_once(client: TestClient, manager: Header) -> None:
    headers = {**manager, "Idempotency-Key": "monday"}
    first = client.post(LIST, content=CONTENT.encode(), headers=headers)
    assert client.post(LIST, content=CONTENT.encode(), headers=headers).json() == first.json()


def test_a_dry_run_answers_every_mistake_and_a_real_one_is_refused_with_them(
    client: TestClient, manager: Header
) -> None:
    response = client.post(LIST, params={"dry_run": "true"}, content=WRONG, headers=manager)
    assert response.status_code == 200
    mistakes = [(mistake["row"], mistake["column"], mistake["code"]) for mistake in response.json()["mistakes"]]
    assert mistakes == [(2, "prix", "fraction"), (3, "catégorie", "unknown_category")]
    assert response.json()["mistakes_in_all"] == 2
    refusal = client.post(LIST, content=WRONG, headers=manager)
    assert refusal.status_code == 422
    problems = [(error["pointer"], error["code"]) for error in refusal.json()["errors"]]
    assert problems == [("row 2, prix", "fraction"), ("row 3, catégorie", "unknown_category")]
    assert client.get(LIST, headers=manager).text.count("\n") == 1


def test_defaults_are_given_with_the_request(client: TestClient, manager: Header) -> None:
    content = CONTENT.replace("5,5\r", "réduite\r").replace("pomme", "divers").encode()
    assert client.post(LIST, content=content, headers=manager).status_code == 422
    defaults = {"default_vat": "5,5 %", "default_category": "Fruits"}
    assert client.post(LIST, params=defaults, content=content, headers=manager).json()["created"] == 2
    response = client.post(LIST, params={"default_vat": "viel"}, content=content, headers=manager)
    assert [error["pointer"] for error in response.json()["errors"]] == ["default_vat"]


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"PK\x03\x04", b"a,b\n1,2", "Œufs".encode("utf-16-le")])
def test_a_file_that_is_no_list_is_refused(client: TestClient, manager: Header, content: bytes) -> None:
    answer = client.post(LIST, content=content, headers=manager)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_who_may_change_products_but_not_prices_brings_no_list(client: TestClient, store: Store, hamlet: Any) -> None:
    hamlet.enterprise("hub")
    for number, scopes in enumerate((["products:read", "products:write"], ["products:read", "catalogs:write"])):
        token = a_token(store, f"person{number}", *scopes)
        for dry_run in ("true", "false"):
            answer = client.post(LIST, params={"dry_run": dry_run}, content=CONTENT.encode(), headers=token)
            assert answer.status_code == 403
        assert client.get(LIST, headers=token).status_code == 200
    assert client.post(LIST, content=CONTENT.encode()).status_code == 401
