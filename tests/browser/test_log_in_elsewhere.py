"""Logging in with an account elsewhere in a real browser: no rule of the page stands in the way there or back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings, OutboundSettings
from commensal.storage.database import Store

from ..plugins.oidc.provider import ADA, CLIENT, SECRET, Provider
from ..ports import free_port
from .conftest import PASSWORD
from .person import Person

PLACE = "Coop de la Loire"


@pytest.fixture
def url() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def provider(clock: ManualClock, url: str) -> Iterator[Provider]:
    with Provider(clock, back=f"{url}/login/with/oidc/main/back") as provider:
        yield provider


@pytest.fixture
def instance(
    sqlite_template: Path, tmp_path: Path, clock: ManualClock, ids: SeededIds, provider: Provider, url: str
) -> Iterator[Instance]:
    """The instance of `conftest.py`, with the provider."""
    shutil.copyfile(sqlite_template, tmp_path / "commensal.db")
    settings = InstanceSettings(
        name="Les Paniers",
        base_url=url,
        limits=LimitSettings(reads=100_000, writes=100_000, logins=100_000),
        outbound=OutboundSettings(allow=(provider.issuer.removeprefix("http://"),)),
        plugins={
            "enabled": ["shop", "cash", "pickup", "oidc"],
            "oidc": {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, "label": PLACE},
        },
    )
    store = Store(f"sqlite:///{tmp_path / 'commensal.db'}", clock=clock, ids=ids)
    with Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids) as instance:
        yield instance


@pytest.mark.parametrize("scripts", ["with", "without"])
def test_somebody_connects_their_account_and_logs_in_with_it(person: Person, provider: Provider, scripts: str) -> None:
    if scripts == "without":
        person.without_scripts()
    person.goes_to("/login?next=/account")
    person.writes(email=str(ADA["email"]), password=PASSWORD)
    person.presses("Se connecter")
    person.find("//summary[contains(., 'Relier un compte')]").click()
    person.writes(elsewhere_password=PASSWORD)
    person.presses(f"Relier à {PLACE}")
    person.waits_until(lambda: "Dissocier" in person.text, "the way there and back")
    for width, scheme in ((320, "light"), (1280, "dark")):
        person.on_a_screen(width, scheme)
        assert (person.too_wide(), person.faults()) == ([], [])
    person.presses("Se déconnecter")
    person.goes_to("/login?next=/account")
    for width, scheme in ((320, "light"), (1280, "dark")):
        person.on_a_screen(width, scheme)
        assert (person.too_wide(), person.faults()) == ([], [])
    person.presses(f"Se connecter avec {PLACE}")
    person.waits_until(lambda: person.path == "/account", "the way there and back")
    complaints = person.complaints()
    assert all(complaint.startswith(f"request to {provider.issuer}/authorize?") for complaint in complaints)
    assert len(complaints) == 2, "to the provider and nowhere else, once each time"
