"""Coordinates from a list of postcodes, as a page for those who run the instance."""

from __future__ import annotations

from commensal import Invalid, Problem, Screen
from commensal.pages import Visit, on_refusal

from ..postcodes import LARGEST, locate, read_postcodes, without_place

PATH = "transport/postcodes"


def postcodes_page(visit: Visit, enterprise: None, located: list[str] | None = None) -> Screen:
    """located: the names of those that have just been placed; None: no list was read"""
    with visit.read() as tx:
        missing = without_place(tx)
    context = {
        "missing": missing,
        "located": located,
        "here": f"/office/instance/{PATH}",
        "megabytes": LARGEST // 1024**2,
    }
    return Screen(template="transport/postcodes.html", context=context)


@on_refusal(postcodes_page, {"file"})
def post_postcodes(visit: Visit, enterprise: None) -> Screen:
    """Reads a list and places whoever it can."""
    if not visit.body:
        raise Invalid([Problem("no_file", "Choose a list of postcodes.", "/file")])
    places = read_postcodes(visit.body)
    with visit.write() as tx:
        located, _ = locate(tx, places)
    return postcodes_page(visit, enterprise, located)
