"""Complaints: what customers complain about is noted in the office, by those who have the right, and settled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from commensal import (
    PERSONAL,
    Enterprise,
    Invalid,
    NotFound,
    OfficePage,
    OwnScope,
    Problem,
    Refused,
    Screen,
    Time,
    Whole,
    dues_by_number,
    hookimpl,
    metadata,
    read_text,
)
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from sqlalchemy import Column, ForeignKey, Table, Text, insert, select, update
from starlette.responses import Response

SCOPE = "complaints:handle"

complaints_complaint = Table(
    "complaints_complaint",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False, index=True),
    Column("order_id", Text, ForeignKey("customer_order.id"), nullable=False, index=True),
    Column("number", Whole, nullable=False),  # of the order, as people know it
    Column("text", Text, nullable=False, info=PERSONAL),  # blanked when the person behind the order is forgotten
    Column("noted_at", Time, nullable=False),
    Column("settled_at", Time),
    sqlite_strict=True,
)


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def scopes() -> Sequence[OwnScope]:
    """A right of its own: managers have it, and owners may give it to others on the page "Team"."""
    return [OwnScope(name=SCOPE, label="Handle complaints", roles=("manager",))]


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    """`menu` makes an entry in the navigation, which only those see who have the right."""
    return [OfficePage(path="complaints", place="complaints", menu="Complaints", scope=SCOPE, show=show, send=send)]


def show(visit: Visit, shop: Enterprise) -> Screen:
    return _screen(visit, shop, {"number": "", "text": ""})


def send(visit: Visit, shop: Enterprise) -> Screen | Response:
    """The page has two forms: one notes a complaint, and each row has a button that settles it."""
    typed = {name: visit.form.get(name, "").strip() for name in ("number", "text")}
    try:
        with visit.write() as tx:
            if complaint := visit.form.get("settle"):
                own = complaints_complaint.c
                # The enterprise stands in the WHERE: an id from another hub's page must not work here.
                settled = update(complaints_complaint).where(own.id == complaint, own.enterprise_id == shop.id)
                if tx.execute(settled.values(settled_at=tx.now)).rowcount != 1:
                    raise NotFound
            else:
                problems: list[Problem] = []
                text = read_text(typed["text"], "/text", problems, least=1, most=400)
                number = int(typed["number"]) if typed["number"].isdecimal() else 0
                due = dues_by_number(tx, shop.id, [number]).get(number)
                if due is None:
                    problems.append(Problem("no_such_order", "There is no order of this number.", "/number"))
                if problems or due is None:
                    raise Invalid(problems)
                row = {"id": tx.new_id(), "enterprise_id": shop.id, "order_id": due.order_id, "number": number}
                tx.execute(insert(complaints_complaint).values(row | {"text": text, "noted_at": tx.now}))
    except Refused as error:
        return _screen(visit, shop, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    return visit.redirect(visit.request.url.path)  # so that loading the page again writes nothing


def _screen(
    visit: Visit, shop: Enterprise, typed: dict[str, str], errors: Mistakes = NO_MISTAKES, status: int = 200
) -> Screen:
    own = complaints_complaint.c
    newest = select(complaints_complaint).where(own.enterprise_id == shop.id).order_by(own.id.desc()).limit(50)
    with visit.read() as tx:
        context = {"complaints": tx.all(newest), "zone": shop.timezone, "typed": typed, "mistakes": errors}
    return Screen(template="complaints/complaints.html", context=context, status=status)
