"""The API does what its OpenAPI document says, for every asker and input: schemathesis calls every operation.

COMMENSAL_TEST_FUZZ=20 calls twenty times as often, with new values each time; the suite's own requests are always the
same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
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

from commensal.parts.endpoints import stock
from commensal.people.actor import OPERATOR
from commensal.stock.lots import lots_of

from .filling import AppRoute, fill
from .settled import PRIVATE, PUBLIC, Settled
from .trespass import OPEN, Village

pytestmark = pytest.mark.bundled

TIMES = int(os.environ.get("COMMENSAL_TEST_FUZZ", "0"))
PARTS = 12  # of the document, for tests that run in parallel
CHECKED: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_SETTINGS = settings(
    max_examples=3 * (TIMES or 1),
    derandomize=not TIMES,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_UNTIL_FOUND = 8  # which three requests are drawn changes with the code; among many there is one that succeeds


@dataclass
class Described:
    """A village with its document; its database is put back after each operation."""

    village: Village
    operations: list[tuple[Any, AppRoute]]
    put_back: Callable[[], None]


@pytest.fixture(scope="module")
def described(village: Village, put_back: Callable[[], None]) -> Described:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", village.client.app)
    routes = {(route.method, route.path): route for route in village.routes}
    operations_found = [operation.ok() for operation in schema.get_all_operations() if isinstance(operation, Ok)]
    operations = [(operation, routes[operation.method.upper(), operation.path]) for operation in operations_found]
    return Described(village, operations, put_back)


def flaws(described: Described, operation: Any, route: AppRoute, *askers: Settled | None, times: int = 1) -> list[str]:
    """Lists what is wrong with one operation, after `times` a few valid and invalid requests of each asker."""
    cases, messages = _cases(described.village, operation, route, times), list[str]()
    for asker in askers:
        try:
            messages += [message for case in cases for message in _wrong(described.village, case, route, asker)]
        finally:
            described.put_back()
    return messages


def _cases(village: Village, operation: Any, route: AppRoute, times: int) -> list[Case[Any]]:
    """Draws requests, which takes longer than to answer them; they are the same for all askers."""
    cases: list[Case[Any]] = []
    with village.instance.store.read() as tx:
        path_values = [fill(tx, route, owner) for owner in (village.victim, village.other)]
    fixed = {"If-Match": '"1"'} if route.endpoint and route.endpoint.edits else {}

    @settings(_SETTINGS, max_examples=_SETTINGS.max_examples * times)
    @given(data=st.data())
    def draw_case(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        path = data.draw(st.sampled_from(path_values))
        cases.append(data.draw(operation.as_strategy(mode, path_parameters=path, headers=fixed)))

    draw_case()
    return cases


def _wrong(village: Village, case: Case[Any], route: AppRoute, asker: Settled | None) -> Iterator[str]:
    response = case.call(headers={"Authorization": f"Bearer {asker.shop.token}"} if asker else None)
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
def test_every_operation_answers_as_it_is_described(described: Described, part: int) -> None:
    askers = (None, described.village.victim, described.village.other)
    flaws_found = [
        flaws(described, operation, route, *askers) for operation, route in described.operations[part::PARTS]
    ]
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
