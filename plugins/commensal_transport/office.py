"""What transport adds to the office: its pages, and the lines that lead there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, func, select

from commensal import OfficePage, OwnRole, OwnScope, PageLine, PagePart, Transaction, hookimpl, plural, translate
from commensal.parts.pictures import LARGEST_IMAGE

from .pages.drive import drive_page, plan_page, post_drive, post_plan, post_vehicles, vehicles_page
from .pages.postcodes import PATH, post_postcodes, postcodes_page
from .pages.statement import balance_page, load_page, photo_file, statement_page
from .pages.trip import post_change, post_happened, post_photo, trip_page, worker_script
from .pages.week import post_week, transport_url, week_page
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
            send=post_week,
            sends=decides,
            menu="Transport",
        ),
        OfficePage(path="transport/drive", place="transport", scope=decides, show=drive_page, send=post_drive),
        OfficePage(path="transport/plan", place="transport", scope=decides, show=plan_page, send=post_plan),
        OfficePage(path="transport/vehicles", place="transport", scope=decides, show=vehicles_page, send=post_vehicles),
        OfficePage(path="transport/loads/{booking}", place="transport", scope=reads, show=load_page),
        OfficePage(path="transport/loads/{booking}/photos/{digest}", place="transport", scope=reads, show=photo_file),
        OfficePage(
            path="transport/trips/{trip}/photo",
            place="transport",
            scope=drives,
            show=trip_page,
            send=post_photo,
            largest_file=LARGEST_IMAGE,
        ),
        OfficePage(path="transport/trips/worker.js", place="transport", scope=drives, show=worker_script),
        OfficePage(path="transport/trips/{trip}", place="transport", scope=drives, show=trip_page, send=post_happened),
        OfficePage(
            path="transport/trips/{trip}/change",
            place="transport",
            scope=drives,
            show=trip_page,
            send=post_change,
            sends=decides,
        ),
        OfficePage(
            path=PATH,
            place="instance",
            scope="operator",
            show=postcodes_page,
            send=post_postcodes,
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
