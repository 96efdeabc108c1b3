"""Draws every kind of e-mail as a telephone shows it, and looks at each in light and in dark."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.storage.database import Store

from ..plugins.every_mail import PLUGINS, write_every_mail
from .person import Person

PICTURES = Path(__file__).parents[2] / "build" / "mails"
WIDTH = 390  # pixels

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def instance(store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Iterator[Instance]:
    settings = InstanceSettings(name="Les Paniers du val", base_url="https://val.example", plugins={"enabled": PLUGINS})
    instance = Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)
    yield instance
    instance.hooks.flush_failures()


def as_page(mail: EmailMessage) -> str:
    """The HTML part, with the images that it shows inside."""
    html = mail.get_body(("html",))
    assert html is not None
    images = {
        str(part["Content-ID"]).strip(
            "<>"
        ): f"data:{part.get_content_type()};base64,{b64encode(part.get_content()).decode()}"
        for part in mail.walk()
        if part["Content-ID"]
    }
    return re.sub(r"cid:([\w-]+)", lambda match: images[match[1]], html.get_content())


def test_every_mail_reads_well_on_a_telephone_in_light_and_dark(
    instance: Instance, clock: ManualClock, browser: WebDriver, tmp_path: Path
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    person = Person(browser, "https://val.example")
    faults: dict[str, list[str]] = {}
    for kind, mail in write_every_mail(instance, clock, "fr").items():
        file = tmp_path / f"{kind}.html"
        file.write_text(as_page(mail), encoding="utf-8")
        person.goes_to(file.as_uri())
        for scheme in ("light", "dark"):
            person.on_a_screen(WIDTH, scheme)
            faults[f"{kind} {scheme}"] = person.faults() + person.too_wide()
            height = min(4000, int(person.script("return document.documentElement.scrollHeight")))
            person.takes_a_picture(PICTURES / f"{kind}-{scheme}.png", WIDTH, height)
    assert not [f"{name}: {message}" for name, messages in faults.items() for message in messages]
