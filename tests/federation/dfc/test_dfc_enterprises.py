"""An enterprise's website, its pages at social networks and whom to ask for, as platforms read them."""

from __future__ import annotations

from typing import Any

import pytest

from commensal.instance.settings import InstanceSettings
from commensal.testing.shop import Shop
from commensal_federation.dfc.read import DfcDocument, read
from commensal_federation.dfc.vocabulary import DfcEnterprise, DfcPerson, DfcSocialMedia

from .emitted import assert_readable
from .platforms import V2, request, settings_with


@pytest.fixture
def settings() -> InstanceSettings:
    return settings_with("https://login.example")


def change(shop: Shop, **fields: Any) -> Any:
    """The answer to a change of the shop's profile over the API."""
    now = request(shop, shop.token, "/api/enterprises/shop")
    headers = {"If-Match": now.headers["ETag"]}
    return request(shop, shop.token, "/api/enterprises/shop", method="PATCH", json=fields, headers=headers)


def as_read(shop: Shop, accept: str = "*/*") -> DfcDocument:
    answer = request(shop, shop.token, "/api/dfc/enterprises/shop", accept=accept)
    assert_readable(answer.content)
    return read(answer.content)


@pytest.mark.parametrize("accept", ["*/*", V2])
def test_platforms_read_the_website_the_social_media_and_the_main_contact(shop: Shop, accept: str) -> None:
    pages = ["https://www.instagram.com/paniers", "https://mastodon.example/@paniers"]
    answer = change(shop, website="paniers.example", social_media="\n".join(pages), contact_name="Ada Marie Lovelace")
    assert answer.status_code == 200, answer.text
    document = as_read(shop, accept)
    enterprise, contact = document.one(DfcEnterprise), document.one(DfcPerson)
    assert (enterprise.website, enterprise.contact) == ("https://paniers.example", contact.iri)
    assert (contact.first_name, contact.family_name) == ("Ada Marie", "Lovelace")
    social = [document.get(DfcSocialMedia, iri) for iri in enterprise.social]
    assert [(page.name, page.url) for page in social if page] == [("instagram", pages[0]), ("mastodon", pages[1])]


def test_an_enterprise_that_says_none_of_it_names_nothing(shop: Shop) -> None:
    document = as_read(shop)
    enterprise = document.one(DfcEnterprise)
    assert (enterprise.website, enterprise.social, enterprise.contact) == ("", (), None)
    assert document.all(DfcPerson) == ()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("website", "javascript:alert(1)"),
        ("website", "a.example b.example"),
        ("social_media", 'https://x.example/"'),
        ("social_media", "file:///etc/passwd"),
        ("website", "farm"),
    ],
)
def test_what_is_no_address_of_a_page_is_refused(shop: Shop, field: str, text: str) -> None:
    answer = change(shop, **{field: text})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
