"""What transport adds to the office: its pages, and the lines that lead there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, func, select

from commensal import OfficePage, OwnRole, OwnScope, PageLine, PagePart, Transaction, hookimpl, plural, translate
from commensal.parts.pictures import LARGEST_IMAGE

from .pages.drive import drive_now, drive_page, plan_now, plan_page
from .pages.load import load_page, photo_file
from .pages.postcodes import PATH, postcodes_now, postcodes_page
from .pages.statement import balance_page, statement_page
from .pages.trip import change_now, happened_now, photo_now, trip_page, worker_now
from .pages.vehicles import vehicles_now, vehicles_page
from .pages.week import transport_url, week_now, week_page
from .postcodes import LARGEST
from .tables import transport_booking, transport_trip

DRIVE = "transport:drive"


@hookimpl
def scopes() -> Sequence[OwnScope]:
    label = "may drive: sees trips, and notes what was handed over"
    return [OwnScope(name=DRIVE, label=label, roles=("manager", "packer"))]


@hookimpl
def roles() -> Sequence[OwnRole]:
    about = "Trips, and what to load for whom; neither orders nor customers."
    return [OwnRole(name="transport:driver", label="Driver", about=about, scopes=("demand:read", DRIVE))]


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    reads, drives, decides, pays = "demand:read", DRIVE, "sales:write", "payments:read"
    return [
        OfficePage(
            path="transport",
            place="transport",
            scope=reads,
            show=week_page,
            send=week_now,
            sends=decides,
            menu="Transport",
        ),
        OfficePage(path="transport/drive", place="transport", scope=decides, show=drive_page, send=drive_now),
        OfficePage(path="transport/plan", place="transport", scope=decides, show=plan_page, send=plan_now),
        OfficePage(path="transport/vehicles", place="transport", scope=decides, show=vehicles_page, send=vehicles_now),
        OfficePage(path="transport/loads/{booking}", place="transport", scope=reads, show=load_page),
        OfficePage(path="transport/loads/{booking}/photos/{digest}", place="transport", scope=reads, show=photo_file),
        OfficePage(
            path="transport/trips/{trip}/photo",
            place="transport",
            scope=drives,
            show=trip_page,
            send=photo_now,
            largest_file=LARGEST_IMAGE,
        ),
        OfficePage(path="transport/trips/worker.js", place="transport", scope=drives, show=worker_now),
        OfficePage(path="transport/trips/{trip}", place="transport", scope=drives, show=trip_page, send=happened_now),
        OfficePage(
            path="transport/trips/{trip}/change",
            place="transport",
            scope=drives,
            show=trip_page,
            send=change_now,
            sends=decides,
        ),
        OfficePage(
            path=PATH,
            place="instance",
            scope="operator",
            show=postcodes_page,
            send=postcodes_now,
            largest_file=LARGEST,
            link="Coordinates by postcode",
        ),
        OfficePage(path="transport/balance", place="transport", scope=pays, show=balance_page),
        OfficePage(path="transport/statements/{trip}", place="transport", scope=pays, show=statement_page),
    ]


@hookimpl
def page_parts(
    tx: Transaction, page: str, enterprise_id: str, scopes: frozenset[str], language: str
) -> Sequence[PagePart]:
    """On the page of what a producer brings, and of a hub's week: who carries what."""
    if page not in ("bring", "week") or "demand:read" not in scopes:
        return []
    booking, trip = transport_booking.c, transport_trip.c
    coming = _count(tx, transport_booking, booking.receiver_id == enterprise_id, booking.state == "confirmed")
    trips = _count(tx, transport_trip, trip.enterprise_id == enterprise_id, trip.state == "open")
    if page == "week" and not coming + trips:
        return []
    texts = [
        plural(language, "{number} load comes to you", "{number} loads come to you", coming).format(number=coming),
        plural(language, "{number} trip of yours", "{number} trips of yours", trips).format(number=trips),
    ]
    line = PageLine(
        text=translate(language, "Who carries what this week"),
        url=transport_url(enterprise_id),
        detail=" · ".join(text for text, number in zip(texts, (coming, trips), strict=True) if number),
        action=translate(language, "Transport"),
    )
    return [PagePart(title=translate(language, "Transport"), lines=[line])]


def _count(tx: Transaction, table: Table, *where: ColumnElement[bool]) -> int:
    return int(tx.value(select(func.count()).select_from(table).where(*where)))
