"""Coordinates from a list of postcodes, as a page for those who run the instance."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Invalid, Problem, Refused, Screen
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of

from ..postcodes import LARGEST, locate, read_postcodes, without_place

PATH = "transport/postcodes"


def postcodes_page(visit: Visit, enterprise: None) -> Screen:
    return _postcodes_page(visit)


def _postcodes_page(
    visit: Visit, errors: Mistakes = NO_MISTAKES, status: int = 200, located: list[str] | None = None
) -> Screen:
    """located: the names of those that have just been placed; None: no list was read"""
    with visit.read() as tx:
        missing = without_place(tx)
    context = {
        "missing": missing,
        "located": located,
        "mistakes": errors,
        "here": f"/office/instance/{PATH}",
        "megabytes": LARGEST // 1024**2,
    }
    return Screen(template="transport/postcodes.html", context=context, status=status)


def post_postcodes(visit: Visit, enterprise: None) -> Screen | Response:
    """Reads a list and places whoever it can."""
    try:
        if not visit.body:
            raise Invalid([Problem("no_file", "Choose a list of postcodes.", "/file")])
        places = read_postcodes(visit.body)
        with visit.write() as tx:
            located, _ = locate(tx, places)
    except Refused as error:
        return _postcodes_page(visit, mistakes(visit, error, {"file"}.__contains__), status_of(error))
    return _postcodes_page(visit, located=located)
