"""The bike brings so many orders on each ride, at the price of the zone."""

import pytest
from commensal import Address, Conflict, Invalid
from commensal.testing import Shop, conforms

TOURS = Address(street="1 rue Nationale", postcode="37000", city="Tours")
NEAR = Address(street="1 rue Basse", postcode="37700", city="Saint-Pierre")
PARIS = Address(street="1 rue de Rivoli", postcode="75001", city="Paris")
SETTINGS = {"zones": {"37": 450, "37000": 300}, "room": 1}

test_it_conforms = conforms("cargo_bike", together_with=("shop", "office"), settings=SETTINGS | {"room": 8})


@pytest.mark.plugins("cargo_bike", settings=SETTINGS)
def test_each_ride_has_room_and_each_zone_its_price(shop: Shop) -> None:
    assert shop.order(shipping="cargo_bike:at-17", address=TOURS).total == 10_00 + 3_00
    with pytest.raises(Conflict, match="is full"):
        shop.order(shipping="cargo_bike:at-17", address=NEAR)
    assert [option.left for option in shop.shipping_options(address=NEAR).values()] == [0, 1]
    assert shop.order(shipping="cargo_bike:at-19", address=NEAR).total == 10_00 + 4_50
    shop.cancel()
    assert shop.shipping_options()["cargo_bike:at-19"].left == 1


@pytest.mark.plugins("cargo_bike", settings=SETTINGS)
def test_nobody_sends_the_bike_too_far_not_even_the_hub(shop: Shop) -> None:
    assert not shop.shipping_options(address=PARIS)
    shop.order(shipping="cargo_bike:at-17", address=TOURS)
    for by_hub in (False, True):
        with pytest.raises(Invalid, match="does not come"):
            shop.change(address=PARIS, by_hub=by_hub)
    assert shop.change(address=NEAR, total=14_50).total == 10_00 + 4_50
