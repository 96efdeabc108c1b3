"""A card is sold with an order, and pays meals of later orders until it is used up."""

import re

import pytest
from commensal import Conflict, Invalid
from commensal.testing import Shop, conforms

test_it_conforms = conforms("meal_card", together_with=("shop", "office"))


def buy(shop: Shop) -> str:
    """Buys a card, and returns the code that the customer is mailed."""
    products = shop.ask("GET", "/products")["items"]
    soup = next(each["product"] for each in products if each["product"]["name"] == "Carrots")
    shop.ask(
        "PATCH", f"/products/{soup['id']}", {"plugin_fields": {"meal_card": {"meal": True}}}, version=soup["version"]
    )
    order = shop.order({"soap": 1}, plugin_fields={"meal_card": {"buy": True}})
    assert order.total == 5_00 + 90_00
    shop.run_jobs()
    assert not any("meal card" in mail for mail in shop.mails()), "it is not paid yet"
    shop.receive("cash:cash")
    shop.run_jobs()
    (code,) = {found[1] for mail in shop.mails() if (found := re.search(r"Its code is (\w+):", mail))}
    return code


@pytest.mark.plugins("cash", "meal_card")
def test_ten_meals_are_paid_by_the_card_and_the_eleventh_is_not(shop: Shop) -> None:
    code = buy(shop)
    assert shop.order({"carrots": 4, "soap": 1}, codes=(code,)).total == 5_00
    assert shop.change({"carrots": 9, "soap": 1}).total == 5_00
    first = shop.latest
    assert shop.order({"carrots": 4}, codes=(code,)).total == 3 * 2_50
    with pytest.raises(Invalid, match="used up"):
        shop.order({"carrots": 1}, codes=(code,))
    shop.cancel(first)
    assert shop.order({"carrots": 9}, codes=(code,)).total == 0


@pytest.mark.plugins("cash", "meal_card")
def test_a_card_that_has_paid_a_meal_is_not_taken_back(shop: Shop) -> None:
    code = buy(shop)
    bought = shop.latest
    shop.order({"carrots": 1}, codes=(code,))
    with pytest.raises(Conflict, match="has paid meals"):
        shop.cancel(bought)
    shop.cancel()
    assert shop.cancel(bought).state == "Cancelled"
