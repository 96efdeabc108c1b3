"""Who has the right notes complaints about orders, and settles them."""

import re

import pytest
from commensal.testing import Shop, conforms

test_it_conforms = conforms("complaints", together_with=("shop", "office"))


@pytest.mark.plugins("office", "complaints")
def test_a_complaint_is_noted_and_settled(shop: Shop) -> None:
    shop.order()
    assert "Complaints" in shop.office().text, "the navigation"
    noted = shop.office("/complaints", {"number": "1", "text": "The soap smells of <fish>."})
    assert "The soap smells of &lt;fish&gt;." in noted.text
    (complaint,) = re.findall(r'name="settle" value="([^"]+)"', noted.text)
    assert "settled" in shop.office("/complaints", {"settle": complaint}).text
    refused = shop.office("/complaints", {"number": "7", "text": ""})
    assert refused.status_code == 422
    assert "There is no order of this number." in refused.text
    assert shop.page(f"/office/{shop.id}/complaints").url.path == "/login"
