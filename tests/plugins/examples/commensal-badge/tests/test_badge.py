"""What a producer has marked carries the badge, in the reader's language."""

import pytest
from commensal.testing import Shop, conforms

test_it_conforms = conforms("badge", together_with=("shop", "office"))


@pytest.mark.plugins("shop", "badge")
def test_only_what_the_producer_has_marked_carries_the_badge(shop: Shop) -> None:
    products = [stocked["product"] for stocked in shop.ask("GET", "/products")["items"]]
    carrots = next(product for product in products if product["name"] == "Carrots")
    sale = f"/sales/{shop.session_id}"
    assert "Saved from the bin" not in shop.page(sale).text
    fields = {"plugin_fields": {"badge": {"saved": True}}}
    shop.ask("PATCH", f"/products/{carrots['id']}", fields, version=carrots["version"])
    assert shop.page(sale).text.count("Saved from the bin") == 1
    assert shop.page(sale, language="fr").text.count("Sauvé du gaspillage") == 1
