"""The page of transport's messages has one example of each type, which the code reads and writes back as it stands."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commensal_federation.messaging import Reading, Unreadable, Writing
from commensal_transport.bookings.codes import digest_of as digest_of_secret
from commensal_transport.bookings.statements import digest_of, mistakes_of
from commensal_transport.elsewhere.bodies import Happening, PlaceAnswer
from commensal_transport.elsewhere.carrier import MOST_IN_A_MINUTE, MOST_ON_TRIP, MOST_OPEN
from commensal_transport.elsewhere.codec import reader
from commensal_transport.elsewhere.codes import read_delivery_code
from commensal_transport.elsewhere.contacts import read_contacts
from commensal_transport.elsewhere.guest import MOST_TRIPS
from commensal_transport.elsewhere.places import STALE
from commensal_transport.elsewhere.types import TYPES
from commensal_transport.service_settings import ServiceSettings

PAGE = (Path(__file__).parents[2] / "plugins" / "commensal_transport" / "PROTOCOL.md").read_text("utf-8")
_BLOCKS: list[dict[str, Any]] = [
    json.loads(text) for text in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]
EXAMPLES = [block for block in _BLOCKS if "type" in block]
DOCUMENT, CODE = [block for block in _BLOCKS if "type" not in block]
BY_NAME = {message_type.name: message_type for message_type in TYPES}
A, B = "https://a.example", "https://b.example"
# What no message may have, by parts of its members' names: persons, goods, notes of people.
PERSONAL = re.compile(r"person|phone|mail|product|item|note|customer|order_id|first|last", re.IGNORECASE)


def test_the_page_has_one_example_of_each_type() -> None:
    assert sorted(example["type"] for example in EXAMPLES) == sorted(BY_NAME)
    assert set(re.findall(r"\| `(\w+)` \|", PAGE)) == {name.removeprefix("transport.") for name in BY_NAME}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["type"])
def test_an_example_is_read_and_written_as_it_stands(example: dict[str, Any]) -> None:
    message_type = BY_NAME[example["type"]]
    body = message_type.read(example, Reading(B, A))
    assert isinstance(body, message_type.body)
    assert message_type.write(body, Writing(A, B)) == example
    assert message_type.read({**example, "later": "more"}, Reading(B, A)) == body, "unknown members are ignored"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["type"])
def test_an_example_without_a_member_or_with_another_kind_of_it_is_unreadable(example: dict[str, Any]) -> None:
    read, optional = BY_NAME[example["type"]].read, {"type", "code", "reason", "mistakes", "events", "cap", "carriage"}
    optional |= {"street", "postcode", "city", "price", "alone", "pickupDigest", "deliveryDigest"}
    for name in example.keys() - optional:
        with pytest.raises(Unreadable):
            read({key: value for key, value in example.items() if key != name}, Reading(B, A))
    for name in example.keys() - {"type"}:
        with pytest.raises(Unreadable):
            read({**example, name: {"odd": [None]}}, Reading(B, A))


def test_the_document_of_contacts_is_read_for_its_booking_alone() -> None:
    (contact,) = read_contacts(DOCUMENT, DOCUMENT["booking"])
    assert [asdict(contact)] == DOCUMENT["contacts"]
    assert read_contacts(DOCUMENT, f"{A}/-/transport/bookings/6") == []
    assert read_contacts({**DOCUMENT, "contacts": "none"}, DOCUMENT["booking"]) == []


def test_the_code_of_a_receiver_is_read_for_its_booking_alone_and_fits_the_order() -> None:
    secret = read_delivery_code(CODE, CODE["booking"])
    assert secret == CODE["delivery"]
    assert read_delivery_code(CODE, f"{A}/-/transport/bookings/6") is None
    assert read_delivery_code({**CODE, "delivery": "12"}, CODE["booking"]) is None
    (order,) = [example for example in EXAMPLES if example["type"] == "transport.BookingOrder"]
    (state,) = [example for example in EXAMPLES if example["type"] == "transport.BookingState"]
    shown = [state["events"][0]["code"], secret]
    assert [digest_of_secret(code) for code in shown] == [order["pickupDigest"], order["deliveryDigest"]]


def test_no_message_names_a_person_or_what_is_in_the_crates() -> None:
    members = {name for example in EXAMPLES for name in _members(example)}
    assert {name for name in members if PERSONAL.search(name)} == {"items"}, "of the statement: kilometres and tolls"


def test_the_statement_of_the_page_adds_up_and_has_its_digest() -> None:
    (example,) = [example for example in EXAMPLES if example["type"] == "transport.Statement"]
    assert mistakes_of(example["content"]) == []
    assert example["digest"] == digest_of(example["content"])


def test_limits_of_the_page_are_those_of_the_code() -> None:
    assert f"at most {MOST_TRIPS:,} trips" in PAGE
    assert f"more than {MOST_IN_A_MINUTE} in a minute" in PAGE
    assert f"allows, {ServiceSettings().prices_a_day} unless set otherwise" in " ".join(PAGE.split())
    assert f"({MOST_OPEN} open bookings of a peer, {MOST_ON_TRIP} of them on one trip)" in " ".join(PAGE.split())
    assert timedelta(weeks=1) == STALE


@pytest.mark.parametrize("degrees", ["NaN", "Infinity", "91", "47.123456789"])
def test_a_place_that_cannot_be_is_unreadable(degrees: str) -> None:
    (example,) = [example for example in EXAMPLES if BY_NAME[example["type"]].body is PlaceAnswer]
    with pytest.raises(Unreadable, match="degrees"):
        BY_NAME[example["type"]].read({**example, "latitude": degrees}, Reading(B, A))


def _members(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {*value} | {name for member in value.values() for name in _members(member)}
    return {name for item in value for name in _members(item)} if isinstance(value, list) else set()


@pytest.mark.parametrize("celsius", ["1e-999999999", "0e999999999"])
def test_a_number_that_no_computation_holds_is_unreadable(celsius: str) -> None:
    document = {"event": "pick_up", "at": "2026-06-05T10:00:00Z", "celsius": celsius}
    with pytest.raises(Unreadable):
        reader(Happening)(document, Reading(B, A))
