"""An instance whose people log in with a provider of OpenID Connect on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import OutboundSettings
from commensal.storage.database import Store

from ..conftest import Browser
from .provider import CLIENT, SECRET, Provider


@pytest.fixture
def provider(clock: ManualClock) -> Iterator[Provider]:
    with Provider(clock) as provider:
        yield provider


@pytest.fixture
def oidc(provider: Provider, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The operator's settings; a test may give others as the parameter of this fixture."""
    usual = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, "label": "Coop de la Loire"}
    return {**usual, **getattr(request, "param", {})}


@pytest.fixture
def settings(settings: InstanceSettings, provider: Provider, oidc: dict[str, Any]) -> InstanceSettings:
    return InstanceSettings(
        name="Les Paniers",
        base_url=settings.base_url,
        language="en",
        limits=settings.limits,
        outbound=OutboundSettings(allow=(provider.issuer.removeprefix("http://"),)),
        plugins={"enabled": ["shop", "oidc"], "oidc": oidc},
    )


@pytest.fixture
def instance(
    settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> Iterator[Instance]:
    instance = Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)
    yield instance
    instance.hooks.flush_failures()


class Traveller:
    """A visitor who goes to the provider and comes back."""

    def __init__(self, browser: Browser, provider: Provider) -> None:
        self.browser, self.provider = browser, provider

    def another(self) -> Traveller:
        return Traveller(self.browser.another(), self.provider)

    def leave(self, next_url: str = "/account") -> str:
        """Presses the button to log in. Returns where the page leads."""
        self.browser.go(f"/login?next={next_url}")
        self.browser.send("/login/with/oidc/main")
        return self.way()

    def way(self) -> str:
        """Where the page leads that stands between this site and the provider."""
        (link,) = [link for link in self.browser.page.links() if link.startswith(self.provider.issuer)]
        assert ("meta", {"http-equiv": "refresh", "content": f"0; url={link}"}) in self.browser.page.elements
        return link

    def log_in(self, next_url: str = "/account") -> None:
        self.browser.go(self.provider.go_on(self.leave(next_url)))

    def connect(self, password: str, **fields: str) -> None:
        """Connects the provider's account with one's own, on whose page the browser is logged in."""
        self.browser.go("/account")
        self.browser.send("/account/elsewhere", elsewhere_password=password, **fields)
        self.browser.go(self.provider.go_on(self.way()))

    @property
    def is_in(self) -> bool:
        """Whether the browser is logged in."""
        self.browser.go("/account")
        return self.browser.at.partition("?")[0] == "/account"


@pytest.fixture
def traveller(browser: Browser, provider: Provider) -> Traveller:
    return Traveller(browser, provider)
