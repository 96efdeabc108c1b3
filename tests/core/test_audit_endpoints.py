"""Every endpoint that changes something leaves a trace in the audit trail, also those of all bundled plugins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.core.desk import Desk

from commensal.api.endpoint import Call, Endpoint
from commensal.api.handler import answer
from commensal.api.limits import Rates
from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.parts.serving.app import endpoints_of
from commensal.schema import metadata
from commensal.storage.database import Store
from commensal.storage.database.marks import why_untraced
from commensal.testing.instances import client_of


@pytest.fixture
def desk(
    settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> Iterator[Desk]:
    """A desk at an instance with all plugins."""
    all_plugins = replace(settings, plugins={"enabled": list(plugin_entry_points())})
    with Instance(tmp_path, all_plugins, store, load_plugins(all_plugins, clock=clock), clock, ids) as instance:
        yield Desk(instance)


def unsafe(desk: Desk) -> list[Endpoint]:
    return [endpoint for endpoint in endpoints_of(desk.instance) if not endpoint.safe]


def _does_nothing(call: Call, **kwargs: Any) -> None:
    """Replaces a command: changes no traced row."""


def _without_command(endpoint: Endpoint, desk: Desk) -> Route:
    """Returns a route with the endpoint's path, scope and method, whose command changes nothing."""
    bare = replace(
        endpoint,
        handler=_does_nothing,
        prepare=None,
        proves=None,
        after=None,
        edits=False,
        needs_key=False,
        where_off=True,
        hints={},
        limit="",
    )
    rates = Rates(desk.instance.settings.limits)

    async def run(request: Request) -> Response:
        return await answer(request, bare, desk.instance, rates)

    return Route(f"/api{endpoint.path}", run, methods=[endpoint.method])


def test_a_request_leaves_a_trace_even_where_its_command_changes_no_traced_row(desk: Desk) -> None:
    endpoints = unsafe(desk)
    assert len(endpoints) > 90
    for endpoint in endpoints:
        before = len(desk.trail())
        path = re.sub(r"\{(\w+)\}", lambda part: "shop" if part[1] == "enterprise" else "one", endpoint.path)
        client = client_of(Starlette(routes=[_without_command(endpoint, desk)]))
        headers = {"Authorization": f"Bearer {desk.token.secret}"}
        assert client.request(endpoint.method, f"/api{path}", headers=headers).status_code == endpoint.status
        traces = desk.trail()[: len(desk.trail()) - before]
        assert len(traces) == (0 if endpoint.untraced else 1), f"{endpoint.method} {endpoint.path}"
        assert all(entry.person_id == desk.ada and entry.command == "_does_nothing" for entry in traces)


def test_only_what_customers_do_for_themselves_is_untraced(desk: Desk) -> None:
    assert {endpoint.name for endpoint in unsafe(desk) if endpoint.untraced} == {
        "quote",
        "place",
        "set_cart",
        "change_my_order",
        "cancel_my_order",
        "change_guest_order",
        "cancel_guest_order",
        "prove_guest_order",
        "pay_my_order",
        "pay_guest_order",
        "set_my_consents",
        "set_guest_consents",
        "sign_up",
        "ask_for_new_password",
        "look_at_instance",  # an operator's, and only a question
        "preview_cuts",  # a question too
    }


def test_a_table_that_leaves_no_trace_says_why() -> None:
    reasons = {table.name: why_untraced(table) for table in metadata.sorted_tables if "untraced" in table.info}
    assert {"payment_journal", "stock_movement", "cart_line"} <= set(reasons)
    assert all(len(reason) > 8 for reason in reasons.values())
