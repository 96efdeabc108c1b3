"""Routes of DFC: those of the pilot of Verso and of the Container Discovery API are read as if they were ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from commensal_federation.dfc.check import gaps_of
from commensal_federation.dfc.graph import write_20
from commensal_federation.dfc.read import read
from commensal_federation.dfc.vocabulary import DfcAddress, DfcRoute, DfcShipment, DfcStep, DfcVehicle

CONTEXT_116 = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"
CONTEXT_20 = "https://w3id.org/dfc/ontology/context/context_2.0.0.json"
VERSO = "http://verso-middleware.org"


def verso_answer() -> dict[str, Any]:
    """A route as Verso spells it: one vehicle, from one farm to one hub."""
    place = {"@type": "dfc-b:Address", "dfc-b:latitude": "49.131", "dfc-b:longitude": "-0.485"}
    steps = [
        ("start", 1741273002, {}),
        ("pickup", 1741273602, {"dfc-b:pickup": f"{VERSO}/shipment-1"}),
        ("delivery", 1741276000, {"dfc-b:delivery": f"{VERSO}/shipment-1"}),
    ]
    return {
        "@context": CONTEXT_116,
        "@graph": [
            {
                "@id": f"{VERSO}/route-0",
                "@type": "dfc-b:Route",
                "dfc-b:geometry": "_p~iF~ps|U",
                "dfc-b:vehicle": {"@id": f"{VERSO}/vehicle-1"},
                "dfc-b:steps": [{"@id": f"{VERSO}/step-0-{number}"} for number in range(len(steps))],
            },
            *(
                {
                    "@id": f"{VERSO}/step-0-{number}",
                    "@type": "dfc-b:Step",
                    "dfc-b:stepType": kind,
                    "dfc-b:hasRoute": {"@id": f"{VERSO}/route-0"},
                    "dfc-b:arrival": arrival,
                    "dfc-b:duration": 1000,
                    "dfc-b:geo": [-0.485, 49.131],
                    "dfc-b:waiting_time": 0,
                    **served,
                }
                for number, (kind, arrival, served) in enumerate(steps)
            ),
            {
                "@id": f"{VERSO}/shipment-1",
                "@type": "dfc-b:Shipment",
                "dfc-b:isChippedIn": f"{VERSO}/vehicle-1",
                "dfc-b:transports": f"{VERSO}/realStock/1",
                "dfc-b:startAt": place,
                "dfc-b:endAt": place,
            },
            {"@id": f"{VERSO}/vehicle-1", "@type": "dfc-b:Vehicle", "dfc-b:ships": [f"{VERSO}/shipment-1"]},
        ],
    }


def test_a_route_of_verso_is_read_in_its_spelling() -> None:
    document = read(verso_answer())
    assert [finding for finding in document.findings if finding.weight == "wrong"] == []
    assert list(gaps_of(document)) == []
    route, shipment = document.one(DfcRoute), document.one(DfcShipment)
    assert (route.vehicle, shipment.vehicle) == (f"{VERSO}/vehicle-1",) * 2
    assert shipment.loads == (f"{VERSO}/realStock/1",)
    origin = document.get(DfcAddress, shipment.origin)
    assert origin is not None
    assert (origin.latitude, origin.longitude) == (Decimal("49.131"), Decimal("-0.485"))
    start, loading, unloading = document.all(DfcStep)
    assert [step.kind for step in (start, loading, unloading)] == ["start", "pickup", "delivery"]
    assert {step.route for step in document.all(DfcStep)} == {route.iri}
    assert (loading.pick_ups, unloading.deliveries) == ((shipment.iri,), (shipment.iri,))
    assert start.arrives_at == datetime(2025, 3, 6, 14, 56, 42, tzinfo=UTC)
    assert loading.duration == timedelta(seconds=1000)


def test_what_is_written_of_a_route_of_verso_has_the_names_of_the_ontology() -> None:
    document = read(verso_answer())
    written = write_20(document.things.values(), {})
    again = read(written)
    assert again.all(DfcStep) == document.all(DfcStep)
    (route,) = (node for node in written["@graph"] if node.get("@type") == "dfc-b:Route")  # type: ignore[attr-defined]
    assert {"dfc-b:useVehicle", "dfc-b:hasStep"} <= route.keys()
    assert not {"dfc-b:vehicle", "dfc-b:steps"} & route.keys()


def test_a_route_that_comes_back_has_steps_with_a_time_and_no_day() -> None:
    step = {"@id": "https://hub.example/r/1#s", "@type": "dfc-b:Step", "dfc-b:startsAt": "08:00:00"}
    route = {
        "@id": "https://hub.example/r/1",
        "@type": "dfc-b:Route",
        "dfc-b:name": "Tuesdays",
        "dfc-b:hasStep": [step],
    }
    document = read({"@context": CONTEXT_20, **route})
    assert (document.one(DfcStep).time_of_day, document.one(DfcStep).route) == ("08:00:00", route["@id"])
    assert document.findings == ()


def test_a_developer_reads_what_a_route_lacks() -> None:
    graph = [
        {"@id": "https://hub.example/s", "@type": "dfc-b:Shipment"},
        {"@id": "https://hub.example/p", "@type": "dfc-b:PickUpStep", "dfc-b:duration": "soon"},
        {"@id": "https://hub.example/v", "@type": "dfc-b:Vehicle"},
    ]
    document = read({"@context": CONTEXT_20, "@graph": graph})
    assert [gap.code for gap in gaps_of(document)] == ["no_route", "no_places"]
    assert [finding.code for finding in document.findings] == ["no_duration"]
    assert document.one(DfcVehicle).room == ()
