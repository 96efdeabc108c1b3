"""One dataclass is the type, the reader, the writer and the entry on the page of a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from msgspec import Meta

from commensal_federation.dfc.vocabulary import DfcOrder
from commensal_federation.messages.leases import about_lot
from commensal_federation.messages.members import own_terms, read_own
from commensal_federation.messaging import Reading, Term, Unreadable, Writing, declared

READING, WRITING = Reading("https://a.example", "https://b.example"), Writing("https://b.example", "https://a.example")
NOON = datetime(2026, 6, 4, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Crate:
    """A crate comes back.

    What programmers read besides.
    """

    driver: Annotated[str, Meta(max_length=5), "who brings it"]
    brought_at: Annotated[datetime, "when"]
    pieces: Annotated[int, Term("count"), "how many"]
    weight: Annotated[Decimal, "in kilograms"] = Decimal(0)
    broken: Annotated[bool, "only where true"] = False
    note: Annotated[str | None, "for people"] = None
    marks: Annotated[tuple[str, ...], "what stands on it"] = ()


CRATE = declared(Crate, name="crates.Crate", lane="order", scope="crates.return")
LEAST = {"type": "crates.Crate", "driver": "Val", "broughtAt": "2026-06-04T12:00:00Z", "count": 3, "weight": "0"}


def test_what_is_the_default_is_left_out_except_for_amounts() -> None:
    crate = Crate(driver="Val", brought_at=NOON, pieces=3)
    assert CRATE.write(crate, WRITING) == LEAST
    assert CRATE.read(LEAST, READING) == crate


def test_everything_that_is_said_is_read_again() -> None:
    crate = Crate(
        driver="Val", brought_at=NOON, pieces=3, weight=Decimal("1.50"), broken=True, note="late", marks=("A", "B")
    )
    document = {**LEAST, "weight": "1.5", "broken": True, "note": "late", "marks": ["A", "B"]}
    assert CRATE.write(crate, WRITING) == document
    assert CRATE.read({**document, "later": "version"}, READING) == crate, "unknown members are ignored"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("driver", "Valerie"),
        ("driver", ""),
        ("broughtAt", "noon"),
        ("count", -1),
        ("count", True),
        ("weight", 1),
        ("weight", "NaN"),
        ("broken", "true"),
        ("note", None),
        ("marks", ["A", 1]),
    ],
)
def test_a_member_of_another_kind_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(Unreadable) as refused:
        CRATE.read({**LEAST, name: value}, READING)
    assert refused.value.code == name


@pytest.mark.parametrize("name", ["driver", "broughtAt", "count"])
def test_a_member_without_a_default_is_needed(name: str) -> None:
    with pytest.raises(Unreadable, match=name):
        CRATE.read({member: value for member, value in LEAST.items() if member != name}, READING)


def test_the_meanings_are_those_of_the_fields_by_the_names_of_the_members() -> None:
    assert CRATE.members["count"] == "how many"
    assert list(CRATE.members) == ["driver", "broughtAt", "count", "weight", "broken", "note", "marks"]


def test_terms_of_our_own_in_a_document_are_texts() -> None:
    @dataclass(frozen=True)
    class Line:
        pieces: Annotated[int, "how many"]
        weighed: Annotated[Decimal | None, "in kilograms"] = None
        fresh: Annotated[bool, "or not"] = False

    line: Any = DfcOrder(iri="https://a.example/1", extra=own_terms(Line(3, Decimal("1.5"), True)))
    assert line.extra["own:fresh"] == ({"@value": "true"},)
    assert Line(**read_own(line, Line)) == Line(3, Decimal("1.5"), True)
    with pytest.raises(Unreadable, match="own:pieces"):
        read_own(DfcOrder(iri="https://a.example/1", extra={"own:pieces": ({"@value": "three"},)}), Line)


def test_a_message_about_a_lot_that_says_no_quantity_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match="Crate needs a member that is annotated as a QUANTITY"):
        about_lot(Crate, lane="order")
