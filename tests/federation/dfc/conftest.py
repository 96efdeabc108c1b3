"""A shop whose instance trusts an OpenID Connect server that is really there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commensal.base.clock import ManualClock

from .oidc import Oidc


@pytest.fixture
def oidc(clock: ManualClock) -> Iterator[Oidc]:
    with Oidc(clock, "http://testserver") as running:
        yield running
