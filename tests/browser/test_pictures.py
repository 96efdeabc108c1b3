"""Draws the pictures of the README from the demo region, whose office has a week in every state to show."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.parts.demo.fill import PASSWORD, fill
from commensal.parts.demo.region import draw_region
from commensal.parts.demo.story import live
from commensal.sale_sessions.questions import sales
from commensal.storage.database import Store

from ..ports import free_port
from .person import Person

PLUGINS = ["shop", "office", "cash", "pickup", "bank_transfer", "distribution_lists", "sales", "custom_report"]
REGION = draw_region(1)
SCREENS = {"week": (1280, 800), "handout": (390, 844), "sale": (390, 844)}  # pixels
KEPT = Path(__file__).parents[2] / "core" / "guides" / "pictures"

pytestmark = pytest.mark.long


@pytest.fixture
def region(sqlite_template: Path, tmp_path: Path, clock: ManualClock, ids: SeededIds) -> Iterator[Instance]:
    """The demo region, served."""
    port = free_port()
    shutil.copyfile(sqlite_template, tmp_path / "commensal.db")
    settings = InstanceSettings(
        name="Les Paniers du val", base_url=f"http://127.0.0.1:{port}", plugins={"enabled": PLUGINS}
    )
    store = Store(f"sqlite:///{tmp_path / 'commensal.db'}", clock=clock, ids=ids)
    with Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids) as instance:
        fill(instance, REGION)
        with live(instance, port=port):
            yield instance


def test_the_readme_shows_the_week_the_hand_out_and_the_sale(
    region: Instance, browser: WebDriver, tmp_path: Path
) -> None:
    person = Person(browser, region.settings.base_url)
    with region.store.read() as tx:
        sale = next(sale for sale in sales(tx) if sale.shop.name == REGION.hubs[0].name)
    person.goes_to("/login?next=/office")
    person.writes(email=REGION.hubs[0].owner.email, password=PASSWORD)
    person.presses("Se connecter")
    week = f"/office/{sale.shop.id}"
    for name, address in (("week", week), ("handout", f"{week}/handout"), ("sale", f"/sales/{sale.session.id}")):
        person.on_a_screen(SCREENS[name][0], "light")
        person.goes_to(address)
        person.takes_a_picture(Path(os.environ.get("COMMENSAL_PICTURES", tmp_path)) / f"{name}.png", *SCREENS[name])
        assert person.faults() == []
        assert (KEPT / f"{name}.png").is_file(), "make pictures"
