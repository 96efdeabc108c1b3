"""The report multiplies weights by the kilometres that producers name."""

from decimal import Decimal

import pytest
from commensal.testing import Shop, conforms

JUNE = {"since": "2026-06-01", "until": "2026-06-30"}

test_it_conforms = conforms("co2_report", together_with=("shop", "office"))


@pytest.mark.plugins("office")
@pytest.mark.plugins("co2_report", settings={"grams": "0.1"})
def test_the_report_tells_what_the_transport_of_each_product_causes(shop: Shop) -> None:
    products = [stocked["product"] for stocked in shop.ask("GET", "/products")["items"]]
    chicken = next(product for product in products if product["name"] == "Chicken")
    shop.ask(
        "PATCH",
        f"/products/{chicken['id']}",
        {"plugin_fields": {"co2_report": {"km": "45"}}},
        version=chicken["version"],
    )
    shop.order({"chicken": 2, "carrots": 4})
    chicken_line, carrots_line = shop.report("co2_report:transport", **JUNE)
    assert chicken_line["product"] == "Chicken"
    assert (chicken_line["km"], chicken_line["grams"]) == (Decimal(45), 18), "4 kg over 45 km at 0.1 g"
    assert carrots_line["grams"] == 0
    page = shop.try_to_ask("GET", "/reports/co2_report/transport?format=html&since=2026-06-01&until=2026-06-30")
    assert "<svg" in page.text, "the chart"
    assert "CO₂ of transport" in shop.office("/papers").text
