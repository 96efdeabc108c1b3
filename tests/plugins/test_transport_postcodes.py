"""Coordinates from a list of postcodes: of the right place, for those who have entered none, and for nobody else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from commensal import Invalid, enterprises_by_id
from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise
from commensal.instance import Instance
from commensal.people.tables import person
from commensal_transport.postcodes import LARGEST, Postcode, locate, read_postcodes

from .test_transport_pages import member
from .valley import FARMS, Valley, open_valley

PLUGINS = ("shop", "office", "transport")
LA_POSTE = """\
#Code_commune_INSEE;Nom_de_la_commune;Code_postal;Libellé_d_acheminement;Ligne_5;coordonnees_geographiques
37018;BEAUMONT LOUESTAULT;37360;BEAUMONT LOUESTAULT;;47.55,0.65
37257;SEMBLANCAY;37360;SEMBLANCAY;;47.50,0.58
37999;SANS LIEU;37361;SANS LIEU;;
"""


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    valley = open_valley(instance, clock)
    addresses = {"gardener": ("37360", "Semblançay"), "dairy": ("37360", "La Ferme"), "baker": ("99999", "Nowhere")}
    with instance.store.write() as tx:
        for farm, (postcode, city) in addresses.items():
            row = {"latitude": None, "longitude": None, "postcode": postcode, "city": city}
            tx.execute(update(enterprise).where(enterprise.c.id == farm).values(row))
    return valley


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_who_has_no_coordinates_gets_those_of_their_postcode(valley: Valley, encoding: str) -> None:
    assert valley.need("gardener").alone is None
    with valley.store.write() as tx:
        places = read_postcodes(LA_POSTE.encode(encoding))
        assert locate(tx, places) == (["Dairy", "Gardener"], ["Baker"])
        assert locate(tx, places) == ([], ["Baker"]), "a second time, nobody moves"
        found = enterprises_by_id(tx, [*FARMS, "shop"])
    assert (found["gardener"].latitude, found["gardener"].longitude) == (Decimal("47.5"), Decimal("0.58"))
    assert found["dairy"].latitude == Decimal("47.525"), "the middle of all with the postcode"
    assert found["shop"].latitude == Decimal("47.39"), "who has entered theirs keeps them"
    assert valley.need("gardener").alone is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_operator_reads_a_list_on_a_page_that_names_who_is_left(valley: Valley, client: TestClient) -> None:
    farmer, page = member(valley, client, "baker"), "/office/instance/transport/postcodes"
    assert farmer.client.get(page).status_code == 403
    with valley.store.write() as tx:
        tx.execute(update(person).values(is_operator=True))
    assert page in farmer.go("/office/instance").links()
    assert "Gardener 37360 Semblançay" in farmer.go(page).text

    def reads(content: bytes) -> str:
        return str(farmer.client.post(page, files={"file": ("postcodes.csv", content)}).text)

    assert "A list of postcodes has columns like" in reads(b"name;price")
    answer = reads(LA_POSTE.encode())
    assert "Placed: Dairy, Gardener." in answer
    assert "99999 Nowhere" in answer
    assert "37360" not in answer, "who has a place is not named any more"


def test_other_lists_are_read_too_and_what_is_none_is_refused() -> None:
    lines = ("postcode,city,lat,lon", "01067,Dresden,51.06,13.71", "0,a,,", "0,a,NaN,1", "0,a,91,1", "0,a")
    (place,) = read_postcodes("\n".join(lines).encode())
    assert (place.code, place.city, place.point.longitude) == ("01067", "dresden", Decimal("13.71"))
    assert isinstance(place, Postcode)
    for wrong in (b"", b"name;price\na;1\n", b"code_postal;nom\n1;2\n", b" " * (LARGEST + 1)):
        with pytest.raises(Invalid):
            read_postcodes(wrong)
