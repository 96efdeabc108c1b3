"""A shop that really serves, and a real Chromium to buy in. Without one these tests skip, but not where CI=true."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image as Pillow
from selenium.webdriver import ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver
from sqlalchemy import insert, select

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.enterprises.tables import enterprise_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings
from commensal.orders.tables import customer_order
from commensal.parts.checks import broken_invariants
from commensal.parts.demo.story import live
from commensal.parts.pictures.images import Picture, add_image, keep_picture
from commensal.people.people import add_person, new_person
from commensal.stock.movements import count_stock
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal_pickup.places import add_place
from commensal_pickup.slots import add_slot

from ..ports import free_port
from .person import Person

SALE = "/sales/shop-session"
PASSWORD = "a long enough password"
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # required to run as root
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",  # nothing moves away under the pointer
    "--accept-lang=fr",
)


@pytest.fixture(scope="session")
def programs() -> tuple[str, str]:
    """The paths of the browser and its driver."""
    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    message = "No Chromium to buy in: apt-get install chromium chromium-driver"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def a_browser(programs: tuple[str, str], folder: Path) -> Iterator[WebDriver]:
    options = ChromeOptions()
    options.binary_location = programs[0]
    for option in (*_OPTIONS, f"--user-data-dir={folder}"):
        options.add_argument(option)
    options.page_load_strategy = "none"  # a person does not wait either before the second click of a double click
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    driver = WebDriver(options=options, service=Service(programs[1]))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def browser(programs: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    with a_browser(programs, tmp_path_factory.mktemp("browser")) as driver:
        yield driver


@pytest.fixture
def person(browser: WebDriver, shop: Shop) -> Iterator[Person]:
    """A person with a fresh browser that requests French. The browser must have no complaints at the end."""
    person = Person(browser, shop.instance.settings.base_url)
    yield person
    assert person.complaints() == []


@pytest.fixture
def another(programs: tuple[str, str], shop: Shop, tmp_path: Path) -> Iterator[Person]:
    """Another person with their own browser."""
    with a_browser(programs, tmp_path / "another browser") as driver:
        another = Person(driver, shop.instance.settings.base_url)
        yield another
        assert another.complaints() == []


# ------------------------------------------------------------------------------------------------ the shop


@dataclass(frozen=True)
class Shop:
    """Carrots in two sizes of one lot, eggs with a deposit and a picture; two places, one with a fee. Ada has an
    account.
    """

    instance: Instance
    clock: ManualClock
    heap: str

    def orders(self) -> list[dict[str, Any]]:
        """Returns the placed orders by number, and asserts that no invariant is violated."""
        query = select(customer_order).where(customer_order.c.state != "Draft").order_by(customer_order.c.number)
        with self.instance.store.read() as tx:
            assert broken_invariants(tx) == []
            return [dict(row) for row in tx.all(query)]

    def served(self) -> AbstractContextManager[str]:
        """Serves the shop while a block runs, always at the same address."""
        return live(self.instance, port=urlsplit(self.instance.settings.base_url).port or 0)

    def count(self, kilograms: int) -> None:
        """Records a count of the carrots."""
        with self.instance.store.write() as tx:
            count_stock(tx, "shop", self.heap, Decimal(kilograms))


@pytest.fixture
def plugins() -> list[str]:
    """The plugins of the instance."""
    return ["shop", "office", "cash", "pickup"]


@pytest.fixture
def instance(
    sqlite_template: Path, tmp_path: Path, clock: ManualClock, ids: SeededIds, plugins: list[str]
) -> Iterator[Instance]:
    """An empty instance on SQLite that does not serve."""
    port, file = free_port(), tmp_path / "commensal.db"
    shutil.copyfile(sqlite_template, file)
    limits = LimitSettings(reads=100_000, writes=100_000, logins=100_000)
    settings = InstanceSettings(
        name="Les Paniers", base_url=f"http://127.0.0.1:{port}", limits=limits, plugins={"enabled": plugins}
    )
    store = Store(f"sqlite:///{file}", clock=clock, ids=ids)
    with Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids) as instance:
        yield instance


@pytest.fixture
def unplugged_shop(instance: Instance, clock: ManualClock) -> Shop:
    """A shop that does not serve."""
    return Shop(instance, clock, _fill(instance))


@pytest.fixture
def shop(unplugged_shop: Shop) -> Iterator[Shop]:
    """The shop, served on loopback at the address that its e-mails contain."""
    with unplugged_shop.served():
        yield unplugged_shop


def _fill(instance: Instance) -> str:
    """Fills the shop. Returns the id of the lot of carrots."""
    picture = _picture()
    keep_picture(instance.images, picture)
    member = new_person(email="ada@example.org", name="Ada Martin", password=PASSWORD, language="fr")
    with instance.store.write() as tx:
        add_person(tx, member, confirmed=True)
        a_shop(tx, name="Halle Saint-Jean", city="Tours", postcode="37000", street="1 place de la Halle")
        for plugin in ("cash", "pickup"):
            tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin=plugin, settings={}, version=1))
        lot, kilo = a_lot(tx, name="Carottes", unit="Kilogram", on_hand="40"), {"unit": "Kilogram"}
        an_item(tx, lot, name="Carottes", price=240, grains=1000, labels=["Organic-AB"], **kilo)
        an_item(tx, lot, name="Carottes", price=1050, grains=5000, quantity=Decimal(5), **kilo)
        nests = a_lot(tx, name="Œufs")
        image = add_image(tx, enterprise_id="shop", picture=picture, alt="Six œufs dans leur boîte")
        an_item(
            tx,
            nests,
            name="Œufs",
            price=215,
            deposit=20,
            quantity=Decimal(6),
            product_type="local-grocery-store",
            allergens=["Eggs"],
            description="<p>Du <em>matin</em>.</p>",
            image_id=image.id,
        )
        an_item(tx, a_lot(tx, name="Persil", on_hand="0"), name="Persil", price=90)
        begins_at = tx.now + timedelta(days=2, hours=5)
        hall, station = add_place(tx, "shop", name="Salle des fêtes"), add_place(tx, "shop", name="Gare", price=150)
        ends_at = begins_at + timedelta(hours=1)
        later = begins_at + timedelta(minutes=30)
        for place, capacity, since in ((hall, 5, begins_at), (station, 5, begins_at), (station, 0, later)):
            add_slot(tx, "shop", "shop-session", place_id=place.id, capacity=capacity, begins_at=since, ends_at=ends_at)
    return lot


def _picture() -> Picture:
    """Returns a picture as an upload is stored: a WebP file and a thumbnail."""
    file = io.BytesIO()
    Pillow.new("RGB", (40, 30), "orange").save(file, "WEBP")
    return Picture(content=file.getvalue(), thumbnail=file.getvalue(), width=40, height=30)
