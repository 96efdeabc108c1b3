"""The API does what its OpenAPI document says, for every asker and input: schemathesis calls every operation.

COMMENSAL_TEST_FUZZ=20 calls twenty times as often, with new values each time; the suite's own requests are always the
same.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from commensal.instance.instance import DATABASE
from commensal.interfaces.api.routes import stock
from commensal.testing.instances import Instances
from commensal.trade.people.scopes import OPERATOR
from commensal.trade.stock.lots import lots_of

from .conftest import open_village
from .filling import AppRoute, fill
from .settled import PRIVATE, PUBLIC, Settled
from .trespass import OPEN, Village

pytestmark = pytest.mark.bundled

TIMES = int(os.environ.get("COMMENSAL_TEST_FUZZ", "0"))
PARTS = 10  # of the document, for tests that run in parallel
CHECKED: list[CheckFunction] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
_SETTINGS = settings(
    max_examples=3 * (TIMES or 1), derandomize=not TIMES, database=None, deadline=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
_UNTIL_FOUND = 8  # which three requests are drawn changes with the code; among many there is one that succeeds


@dataclass
class Described:
    """A village with its document; its database is restored after each operation."""

    village: Village
    operations: list[tuple[Any, AppRoute]]
    before: sqlite3.Connection

    def put_back(self) -> None:
        with closing(sqlite3.connect(self.village.instance.folder / DATABASE)) as database:
            self.before.backup(database)


@pytest.fixture(scope="module")
def village(commensal_instances: Instances, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """In a file, which is put back."""
    with open_village(commensal_instances, tmp_path_factory.mktemp("described")) as village:
        yield village


@pytest.fixture(scope="module")
def described(village: Village) -> Iterator[Described]:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", village.client.app)
    routes = {(route.method, route.path): route for route in village.routes}
    operations_found = [operation.ok() for operation in schema.get_all_operations() if isinstance(operation, Ok)]
    operations = [(operation, routes[operation.method.upper(), operation.path]) for operation in operations_found]
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as backup:
        with closing(sqlite3.connect(village.instance.folder / DATABASE)) as database:
            database.backup(backup)
        yield Described(village, operations, backup)


def flaws(described: Described, operation: Any, route: AppRoute, asker: Settled | None, *, times: int = 1) -> list[str]:
    """Lists what is wrong with one operation for an asker, after `times` a few valid and invalid requests."""
    village, messages = described.village, list[str]()
    with village.instance.store.read() as tx:
        path_values = [fill(tx, route, owner) for owner in (village.victim, village.other)]
    headers = {"Authorization": f"Bearer {asker.shop.token}"} if asker else {}

    @settings(_SETTINGS, max_examples=_SETTINGS.max_examples * times)
    @given(data=st.data())
    def send_request(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        path = data.draw(st.sampled_from(path_values))
        fixed = headers | ({"If-Match": '"1"'} if route.endpoint and route.endpoint.edits else {})
        case = data.draw(operation.as_strategy(mode, path_parameters=path, headers=fixed))
        messages.extend(_wrong(village, case, route, asker))

    try:
        send_request()
    finally:
        described.put_back()
    return messages


def _wrong(village: Village, case: Case[Any], route: AppRoute, asker: Settled | None) -> Iterator[str]:
    response = case.call()
    try:
        case.validate_response(response, checks=CHECKED)
    except FailureGroup as group:
        yield f"{route}: {group}"
    text = response.content.decode(errors="replace")
    if asker is not village.victim and (PRIVATE in text or (PUBLIC in text and not _is_shown(route))):
        yield f"{route}: told {text[:300]}"


def _is_shown(route: AppRoute) -> bool:
    return route.scope == "public" or str(route) in OPEN


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("who", ["anonymous", "enterprise A", "enterprise B"])
def test_every_operation_answers_as_it_is_described(described: Described, who: str, part: int) -> None:
    village = described.village
    asker = {"anonymous": None, "enterprise A": village.victim, "enterprise B": village.other}[who]
    flaws_found = [flaws(described, operation, route, asker) for operation, route in described.operations[part::PARTS]]
    assert not any(flaws_found), "\n\n".join(finding for messages in flaws_found for finding in messages)


def test_the_document_has_every_operation(described: Described) -> None:
    assert len(described.operations) > 180
    assert {route.scope for _, route in described.operations} >= {"public", "self", OPERATOR, "orders:read"}


# ------------------------------------------------------------------------------------------------ is it a test?


def _operation(described: Described, name: str) -> tuple[Any, AppRoute]:
    (match,) = [
        (operation, route)
        for operation, route in described.operations
        if route.endpoint and route.endpoint.name == name
    ]
    return match


def test_an_operation_that_breaks_is_found(described: Described, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = _operation(described, "stock_lots")
    assert flaws(described, *operation, described.village.other) == []

    def breaks(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(stock, "lots_of", breaks)
    assert any(
        "Server error" in flaw for flaw in flaws(described, *operation, described.village.other, times=_UNTIL_FOUND)
    )


def test_an_answer_of_another_shape_is_found(described: Described, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = _operation(described, "stock_lots")
    monkeypatch.setattr(stock, "page_of", lambda *args: {"items": [{"id": 7}], "next": None})
    flaws_found = flaws(described, *operation, described.village.other, times=_UNTIL_FOUND)
    assert any("violates schema" in text for text in flaws_found), flaws_found


def test_an_answer_that_tells_of_another_is_found(described: Described, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = _operation(described, "stock_lots")
    victim = described.village.victim.id
    monkeypatch.setattr(stock, "lots_of", lambda tx, enterprise, **kwargs: lots_of(tx, victim, **kwargs))
    assert any("told" in flaw for flaw in flaws(described, *operation, described.village.other, times=_UNTIL_FOUND))
