"""The office: pictures of products, and the logo and the cover that pages and other sites show of an enterprise."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from commensal.base.file_readers.lines import SAVED, SHARE
from commensal.base.file_readers.reading import LINES
from commensal.catalogs.listings import products_of_items
from commensal.enterprises.grants import grant
from commensal.enterprises.members import list_members
from commensal.parts.pages import page
from commensal.parts.pictures import images, reencode
from commensal.parts.pictures.images import LARGEST_IMAGE
from commensal.products.questions import products_by_id
from commensal.products.tables import supplied_product
from commensal.testing.placed import a_shop

from ..gate import Gate
from .conftest import SALE, Browser, Page, Stall
from .test_office import OFFICE, a_member, owner

PLUGINS = ("shop", "office", "cash", "pickup")
__all__ = ["owner"]  # a fixture

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

PICTURES = f"{OFFICE}/settings/pictures"


def a_photo(colour: str = "green") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(file, "JPEG")
    return file.getvalue()


def upload(browser: Browser, url: str, content: bytes, **fields: str) -> Page:
    return browser._see(browser.client.post(url, files={"file": ("photo.jpg", content)}, data=fields))


def product_ids(stall: Stall, *items: str) -> list[str]:
    with stall.instance.store.read() as tx:
        products = products_of_items(tx, "shop", items)
    return [products[item].id for item in items]


def pictures_of(stall: Stall, *product_ids: str) -> list[str | None]:
    with stall.instance.store.read() as tx:
        products = products_by_id(tx, product_ids)
    return [products[id].image_id for id in product_ids]


def shared_picture(browser: Browser) -> str:
    """The address of the picture that other sites show of the hub's page; "" without one."""
    response = browser.client.get("/hubs/shop")
    assert response.status_code == 200
    return response.text.partition('<meta property="og:image" content="')[2].partition('"')[0]


def test_a_logo_and_a_cover_are_shown_to_customers_and_taken_away(owner: Browser, stall: Stall) -> None:
    upload(owner, f"{PICTURES}?kind=logo", a_photo(), alt="A basket")
    assert "It can be seen at once." in owner.page.text
    upload(owner, f"{PICTURES}?kind=cover", a_photo("blue"), alt="Our stall")
    html = owner.client.get("/hubs/shop").text
    assert 'alt="A basket"' in html
    assert 'alt="Our stall"' in html
    shared = owner.client.get(shared_picture(owner).removeprefix(stall.instance.settings.base_url.rstrip("/")))
    assert shared.headers["content-type"] == "image/webp"
    assert 'class="logo"' in owner.client.get("/").text
    owner.post(f"{PICTURES}?kind=logo&then=remove")
    owner.post(f"{PICTURES}?kind=cover&then=remove")
    assert shared_picture(owner) == ""


def test_what_is_no_picture_is_refused_at_its_field(owner: Browser, stall: Stall) -> None:
    for content, text in ((b"<svg/>", "JPEG, PNG or WebP"), (b"", "Choose a picture."), (bytes(LARGEST_IMAGE), "WebP")):
        upload(owner, f"{PICTURES}?kind=cover", content, alt="Fields")
        assert (owner.status, text in owner.page.text) == (422, True)
        assert owner.page.form("kind=cover").fields["alt"] == "Fields"
    upload(owner, f"{PICTURES}?kind=cover", bytes(LARGEST_IMAGE + 2 * 1024 * 1024))
    assert (owner.status, "This file is too large: 8 MB are the most" in owner.page.text) == (422, True)
    upload(owner, f"{PICTURES}?kind=flag", a_photo())
    assert owner.status == 404
    assert shared_picture(owner) == ""


def test_a_product_has_its_picture_in_all_its_sizes(owner: Browser, stall: Stall) -> None:
    small, large, eggs = product_ids(stall, stall.small, stall.large, stall.eggs)
    url = f"{OFFICE}/products/{small}/picture"
    assert url in owner.go(f"{OFFICE}/products").links()
    upload(owner, url, a_photo(), alt="A bunch of carrots")
    assert "Customers see it from now on." in owner.page.text
    shown, of_large, of_eggs = pictures_of(stall, small, large, eggs)
    assert (shown is not None, of_large == shown, of_eggs) == (True, True, None)
    assert 'alt="A bunch of carrots"' in owner.client.get(SALE).text
    owner.send("?then=remove")
    assert pictures_of(stall, small, large) == [None, None]


def test_goods_of_a_producer_get_pictures_where_they_let_the_hub_keep_their_list(owner: Browser, stall: Stall) -> None:
    (eggs,) = product_ids(stall, stall.eggs)
    with stall.instance.store.write() as tx:
        a_shop(tx, "farm", is_producer=True)
        tx.execute(update(supplied_product).where(supplied_product.c.id == eggs).values(enterprise_id="farm"))
    url = f"{OFFICE}/products/{eggs}/picture"
    upload(owner, url, a_photo())
    assert (owner.status, pictures_of(stall, eggs)) == (404, [None])
    assert url not in owner.go(f"{OFFICE}/products").links()
    with stall.instance.store.write() as tx:
        grant(tx, "farm", "shop", "WriteProducts")
    assert url in owner.go(f"{OFFICE}/products").links()
    upload(owner, url, a_photo())
    assert (owner.status, pictures_of(stall, eggs) == [None]) == (200, False)


def test_nobody_changes_pictures_of_others(browser: Browser, stall: Stall) -> None:
    (small,) = product_ids(stall, stall.small)
    browser.log_in(a_member(stall, "packer"))
    for url in (f"{PICTURES}?kind=logo", f"{OFFICE}/products/{small}/picture"):
        upload(browser, url, a_photo())
        assert browser.status == 403
    assert pictures_of(stall, small) == [None]
    assert shared_picture(browser) == ""


def test_a_page_says_how_many_files_are_read_before_and_then_shows_the_answer(
    owner: Browser, stall: Stall, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without JavaScript: the page asks again by itself."""
    gate = Gate(tmp_path / "gate")
    program = tmp_path / "waits.py"
    source = Path(reencode.__file__).read_text("utf-8")
    program.write_text(source.replace("-> int:\n", f"-> int:\n    {gate.source}\n", 1), encoding="utf-8")
    monkeypatch.setattr(images, "_REENCODE", program)
    monkeypatch.setattr(page, "SOON", 0.01)
    first = upload(owner, f"{PICTURES}?kind=logo", a_photo())
    assert "The file is being read" in first.text
    at_first = owner.at
    upload(owner, f"{PICTURES}?kind=cover", a_photo("blue"))
    assert "Files before it: 1" in owner.page.text
    waiting = owner.client.get(at_first)
    assert (waiting.status_code, waiting.headers["refresh"].partition(";")[0]) == (202, "2")
    assert at_first.partition("?")[2] in waiting.headers["refresh"]
    stranger = owner.another()
    stranger.log_in()
    stranger.go(at_first)
    assert stranger.status == 404, "it is for who has sent the form"
    gate.open()
    while (answer := owner.client.get(at_first)).status_code == 202:
        pass  # as the browser does
    assert "It can be seen at once." in answer.text
    assert shared_picture(owner)


def test_a_page_says_how_long_a_file_waits_for_people_who_had_much_read(
    owner: Browser, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "SOON", 0.01)
    with stall.instance.store.read() as tx:
        (member,) = list_members(tx, "shop")
    LINES.charge(f"person {member.person_id}", SAVED + 3 * SHARE)
    upload(owner, f"{PICTURES}?kind=logo", a_photo())
    assert re.search(r"It is read in about \d+ seconds\.", owner.page.text)
    while (answer := owner.client.get(owner.at)).status_code == 202:
        pass
    assert "It can be seen at once." in answer.text
