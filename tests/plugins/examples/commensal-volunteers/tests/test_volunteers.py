"""Who worked a shift lately pays less."""

import pytest
from commensal.testing import Shop, conforms

test_it_conforms = conforms("volunteers", together_with=("shop", "office"))


@pytest.mark.plugins("office", "volunteers")
def test_whoever_worked_a_shift_pays_a_twentieth_less(shop: Shop) -> None:
    shop.customer = shop.somebody()
    assert shop.order({"carrots": 4}).total == 10_00
    customer = shop.ask("GET", "/customers")["items"][0]["id"]
    assert "None yet" in shop.office(f"/customers/{customer}").text
    noted = shop.office(f"/customers/shift?customer={customer}", {})
    assert "4 June 2026" in noted.text, "the page of the customer"
    assert shop.order({"carrots": 4}).total == 9_50
    assert shop.change({"carrots": 8}).total == 19_00
    shop.customer = None
    assert shop.order({"carrots": 4}, email="ada@example.org").total == 10_00, "a guest may type any address"


@pytest.mark.plugins("office", "volunteers")
def test_a_customer_of_another_hub_has_no_page(shop: Shop) -> None:
    assert shop.office("/customers/shift?customer=somebody-else").status_code == 404
