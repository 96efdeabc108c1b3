"""A shop whose instance trusts a running OpenID Connect server; a farm and a portal that are served over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock

from .emitted import assert_readable
from .farm import Farm, a_farm
from .oidc import Oidc
from .portal import Portal, PortalGood


@pytest.fixture
def oidc(clock: ManualClock) -> Iterator[Oidc]:
    with Oidc(clock, "http://testserver") as running:
        yield running


@pytest.fixture
def client(client: TestClient) -> TestClient:
    """Asserts of every DFC document that an instance answers here that the deployed connectors can read it."""
    client.event_hooks["response"].append(_check)
    return client


def _check(response: httpx.Response) -> None:
    is_dfc = response.headers.get("content-type", "").startswith("application/ld+json")
    if is_dfc and response.is_success and response.request.url.path.startswith("/api/dfc/"):
        assert_readable(response.read())


@pytest.fixture
def farm(tmp_path: Path, sqlite_template: Path, clock: ManualClock) -> Iterator[Farm]:
    with a_farm(tmp_path, sqlite_template, clock) as running:
        yield running


@pytest.fixture
def portal() -> Iterator[Portal]:
    goods = {"1": PortalGood("Vinegar", pieces=6, stock=5), "2": PortalGood("Beans", stock=10), "3": PortalGood("Chia")}
    with Portal(goods) as running:
        yield running
