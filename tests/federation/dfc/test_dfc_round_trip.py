"""Values become a document and the document the same values: for every kind of thing, in both versions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commensal import clean_html
from commensal_federation.dfc.classes import PROPERTIES
from commensal_federation.dfc.contexts import expand
from commensal_federation.dfc.graph import write_20, write_116
from commensal_federation.dfc.literals import write_country
from commensal_federation.dfc.read import read
from commensal_federation.dfc.taxonomies import taxonomy
from commensal_federation.dfc.vocabulary import THINGS, DfcOther, DfcPrice, DfcQuantity, Thing

IRIS = [f"https://hub.example/api/dfc/things/{number}" for number in range(6)]
_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).map(str.strip)
_numbers = st.decimals(-1_000_000, 1_000_000, places=4)
_whole = st.integers(-(10**11), 10**11)
_percents = st.decimals(0, 100, places=2)
_links = st.sampled_from([*IRIS, "https://elsewhere.example/things/1"])
_moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
_quantities = st.builds(
    DfcQuantity, value=_numbers, unit=st.sampled_from(["Piece", "Kilogram", "6Pack", "https://other.example/units#ell"])
)
_prices = st.builds(
    DfcPrice,
    amount=_whole,
    currency=st.sampled_from(["EUR", "GBP", "CHF", "JPY", "KWD", ""]),
    vat_rate=st.none() | _percents,
)
_countries = st.sampled_from([code for code in ("FR", "GB", "DE", "AU", "CD", "YE", "TL", "MM") if write_country(code)])


def _several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=3, unique=True).map(tuple)


def _concepts(scheme: str) -> st.SearchStrategy[str]:
    return st.sampled_from([*sorted(taxonomy(scheme))[:20], "https://other.example/words#one"])


def _field(datatype: str, scheme: str) -> st.SearchStrategy[Any]:
    simple: dict[str, st.SearchStrategy[Any]] = {
        "text": st.just("") | _texts,
        "html": _texts.map(clean_html),
        "texts": _several(_texts.filter(bool)),
        "link": st.none() | _links,
        "links": _several(_links),
        "number": st.none() | _numbers,
        "stock": st.none() | _numbers.map(abs),
        "moment": st.none() | _moments,
        "duration": st.none() | st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
        "flag": st.booleans(),
        "country": st.just("") | _countries,
        "quantity": st.none() | _quantities,
        "quantities": _several(_quantities),
        "price": st.none() | _prices,
    }
    if datatype in simple:
        return simple[datatype]
    return st.none() | _concepts(scheme) if datatype == "concept" else _several(_concepts(scheme))


_EXTRA = st.fixed_dictionaries(
    {},
    optional={
        "ofn:spree_product_id": st.integers(0, 9).map(lambda number: ({"@value": number},)),
        "dfc-b:lifetime": st.just(({"@value": "12"},)),
        "https://vendor.example/of": st.just(({"@id": "https://vendor.example/1"},)),
    },
)
_ALSO = st.sampled_from([(), ("hub:Hub",), ("https://vendor.example/Shop",)])


@st.composite
def things(draw: st.DrawFn) -> list[Thing]:
    drawn: list[Thing] = []
    for iri in draw(st.lists(st.sampled_from(IRIS), min_size=1, unique=True)):
        kind = draw(st.sampled_from([*THINGS, DfcOther]))
        also, extra = draw(_ALSO), draw(_EXTRA)
        if kind is DfcOther:
            drawn.append(DfcOther(iri=iri, also=("dfc-b:Parcel", *also), extra=extra))
            continue
        fields = {name: draw(_field(field.datatype, field.scheme)) for name, field in PROPERTIES[kind].items()}
        drawn.append(kind(iri=iri, also=also, extra=extra, **fields))
    return drawn


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made=things())
def test_what_is_written_is_read_again_as_it_was(made: list[Thing]) -> None:
    by_list = {"https://hub.example/api/dfc/things": [thing.iri for thing in made]}
    for version, written in (("1.16", write_116(made)), ("2.0", write_20(made, by_list))):
        expand(written)  # raises for a word that would be lost
        document = read(json.dumps(written).encode())
        assert document.version == version
        assert dict(document.things) == {thing.iri: thing for thing in made}
        assert [finding for finding in document.findings if finding.weight == "wrong" and finding.code != "cycle"] == []


def test_numbers_keep_every_digit() -> None:
    quantity = DfcQuantity(value=Decimal("0.100000000000000001"), unit="Kilogram")
    line = next(kind for kind in THINGS if kind.NAMES == ("OrderLine",))(iri=IRIS[0], quantity=quantity)  # type: ignore[call-arg]
    assert read(json.dumps(write_116([line])).encode()).things[IRIS[0]] == line
