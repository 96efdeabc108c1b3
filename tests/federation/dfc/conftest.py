"""A shop whose instance trusts a running OpenID Connect server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commensal.base.clock import ManualClock

from .oidc import Oidc


@pytest.fixture
def oidc(clock: ManualClock) -> Iterator[Oidc]:
    with Oidc(clock, "http://testserver") as running:
        yield running
