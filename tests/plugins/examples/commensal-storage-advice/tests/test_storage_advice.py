"""The fields are set over the API, in a list and in the office, and read in all of them and in the shop."""

from typing import Any

import pytest
from commensal.testing import Shop, conforms

test_it_conforms = conforms("storage_advice", together_with=("shop", "office"))


def product_named(shop: Shop, name: str) -> Any:
    return next(each["product"] for each in shop.ask("GET", "/products")["items"] if each["product"]["name"] == name)


@pytest.mark.plugins("shop", "office", "storage_advice")
def test_a_field_goes_through_api_list_office_and_shop(shop: Shop) -> None:
    honey = product_named(shop, "Honey")
    fields = {"plugin_fields": {"storage_advice": {"place": "kitchen", "days": "700"}}}
    shop.ask("PATCH", f"/products/{honey['id']}", fields, version=honey["version"])
    assert product_named(shop, "Honey")["plugin_fields"] == {"storage_advice": {"place": "kitchen", "days": "700"}}

    exported = shop.try_to_ask("GET", "/product-list?format=csv&language=en").text
    assert "where to keep it" in exported, "the header is the label as it stands in the code"
    bearer = {"Authorization": f"Bearer {shop.token}"}
    edited = exported.replace("in the kitchen", "in the cellar").encode()
    path = f"/api/enterprises/{shop.id}/product-list"
    assert shop.client.post(path, content=edited, headers=bearer | {"Content-Type": "text/csv"}).is_success
    assert product_named(shop, "Honey")["plugin_fields"]["storage_advice"]["place"] == "cellar"

    assert "Where to keep it" in shop.office(f"/products/{honey['id']}").text
    assert "à la cave" in shop.page(f"/sales/{shop.session_id}", language="fr").text


def test_a_word_that_is_none_is_refused(shop: Shop) -> None:
    honey = product_named(shop, "Honey")
    fields = {"plugin_fields": {"storage_advice": {"place": "moon"}}}
    refused = shop.try_to_ask("PATCH", f"/products/{honey['id']}", fields, version=honey["version"])
    assert refused.status_code == 422
    assert "moon is not known here." in refused.text
