"""Addresses that a service finds: proposed to whoever saved one without coordinates, and kept only by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from commensal.enterprises.enterprises import enterprise_by_id
from commensal.hooks.tables import plugin_failure
from commensal.instance import Instance, InstanceSettings
from commensal.testing.receiver import Gateway

from .conftest import Browser, Stall
from .test_office import OFFICE, owner
from .test_pickup_office import PLACES, places

__all__ = ["owner"]  # a fixture

PLUGINS = ("shop", "office", "cash", "pickup", "transport")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

SEARCH = "https://addresses.example.org/search"
ADDOK: Any = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [0.684812345, 47.394107]},
            "properties": {"label": "2 Rue Colbert 37000 Tours", "score": 0.93, "type": "housenumber"},
        }
    ],
}
NOMINATIM: Any = [{"lat": "47.394107", "lon": "0.684812345", "display_name": "2 Rue Colbert 37000 Tours"}]
ANSWERS = {"addok": ADDOK, "nominatim": NOMINATIM}
FOUND = "This address was found here: 2 Rue Colbert 37000 Tours (addresses.example.org)."


@pytest.fixture(params=["addok"])
def settings(request: pytest.FixtureRequest, settings: InstanceSettings) -> InstanceSettings:
    transport = {"geocoder": request.param, "geocoder_url": SEARCH}
    return replace(settings, plugins={"enabled": list(PLUGINS), "transport": transport})


def save_profile(owner: Browser, **typed: str) -> dict[str, str]:
    """Saves the page "Who we are", and returns the fields of its form as they are shown then."""
    form = owner.go(f"{OFFICE}/settings/profile").form("/profile").fields
    owner.post(owner.at, **{**form, "is_hub": "1", **typed})
    return owner.page.form("/profile").fields


def coordinates_of_shop(stall: Stall) -> object:
    with stall.instance.store.read() as tx:
        shop = enterprise_by_id(tx, "shop")
    return shop.latitude and (str(shop.latitude), str(shop.longitude))


@pytest.mark.parametrize("settings", ANSWERS, indirect=True)
def test_where_the_address_of_a_hub_is_found_is_proposed_and_kept_once_it_is_saved(
    owner: Browser, stall: Stall, gateway: Gateway, settings: InstanceSettings
) -> None:
    kind = str(settings.plugins["transport"]["geocoder"])
    gateway.on("GET", SEARCH, httpx.Response(200, json=ANSWERS[kind]))
    shown = save_profile(owner, street="2 rue Colbert", postcode="37000", city="Tours")
    assert FOUND in owner.page.text
    assert (shown["coordinates"], coordinates_of_shop(stall)) == ("47.39411, 0.68481", None)
    (request,) = gateway.asked("GET", SEARCH)
    assert request.url.params["q"] == "2 rue Colbert, 37000 Tours"
    save_profile(owner, coordinates=shown["coordinates"])
    assert FOUND not in owner.page.text
    assert coordinates_of_shop(stall) == ("47.39411", "0.68481")
    assert len(gateway.requests) == 1, "nobody is asked where coordinates are known"


def test_where_a_new_place_is_found_is_proposed_in_its_form(owner: Browser, stall: Stall, gateway: Gateway) -> None:
    gateway.on("GET", SEARCH, httpx.Response(200, json=ADDOK))
    owner.go(f"{PLACES}/new")
    owner.send("/new", name="Ferme", street="2 rue Colbert", city="Tours")
    place = places(stall)[-1]
    form = owner.page.form(f"/{place.id}").fields
    assert FOUND in owner.page.text
    assert (form["coordinates"], place.latitude) == ("47.39411, 0.68481", None)
    owner.send(f"/{place.id}", coordinates="")
    assert FOUND in owner.page.text
    assert places(stall)[-1].latitude is None
    owner.send(f"/{place.id}")
    assert str(places(stall)[-1].latitude) == "47.39411"
    assert "Sales to come follow" in owner.page.text


def test_what_is_not_found_for_certain_is_not_proposed_and_the_page_is_saved(
    owner: Browser, stall: Stall, gateway: Gateway, instance: Instance
) -> None:
    something_else = {**ADDOK["features"][0], "properties": {"label": "Toury", "score": 0.2}}
    off_the_earth = {**ADDOK["features"][0], "geometry": {"coordinates": [0, 470]}}
    answers = [{"features": []}, {"features": [something_else]}, {"features": [off_the_earth]}, {"error": "too many"}]
    for answer, fails in zip(answers, (False, False, True, True), strict=True):
        gateway.on("GET", SEARCH, httpx.Response(200, json=answer))
        assert save_profile(owner, city="Tours")["coordinates"] == ""
        assert "Saved." in owner.page.text
        instance.hooks.flush_failures()
        assert failures(stall) == ([("transport", "geocode")] if fails else [])


def failures(stall: Stall) -> list[tuple[object, object]]:
    with stall.instance.store.read() as tx:
        return [(row["plugin"], row["hook"]) for row in tx.all(select(plugin_failure))]
