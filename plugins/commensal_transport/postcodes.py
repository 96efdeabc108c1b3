"""Coordinates from a list of postcodes, for enterprises that have not entered theirs.

Any CSV with a column of postcodes and their coordinates will do, such as La Poste's *base officielle des codes postaux*
(Licence Ouverte). What follows is the middle of a place, a few kilometres off at most; a pin on the map is better.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from commensal import (
    HERE,
    Enterprise,
    Folder,
    Invalid,
    Problem,
    Transaction,
    enterprises_by_id,
    enterprises_using,
    hookimpl,
    open_instance,
    print_line,
)
from commensal.enterprises import change_enterprise

from .places.routing import Point
from .trips.needs import ID, point_of

LARGEST = 32 * 1024 * 1024  # bytes of the list; that of France has four millions
_POSTCODE = ("code_postal", "postcode", "postal_code", "plz")
_CITY = ("nom_de_la_commune", "nom_commune_postal", "nom_commune", "commune", "city", "place")
_BOTH = ("coordonnees_geographiques", "coordonnees_gps", "_geopoint", "geopoint")
_LATITUDE, _LONGITUDE = ("latitude", "lat"), ("longitude", "lon", "lng")


@dataclass(frozen=True)
class Postcode:
    """A place of a postcode; several may share one."""

    code: str
    city: str
    point: Point


@hookimpl
def commands(app: typer.Typer) -> None:
    @app.callback()
    def _group() -> None:
        """Transport between enterprises."""

    @app.command("locate")
    def locate_places(
        file: Annotated[
            Path, typer.Argument(help="CSV of postcodes with their coordinates.", exists=True, dir_okay=False)
        ],
        instance: Folder = HERE,
    ) -> None:
        """Gives those who use transport and have no coordinates those of their postcode."""
        places = read_postcodes(file.read_bytes())
        with open_instance(instance) as opened:
            located, unknown = opened.store.transact(lambda tx: locate(tx, places))
        for name in unknown:
            print_line("{name}: no such postcode in the list", name=name)
        print_line("placed: {number}", number=len(located))

    del _group, locate_places


def read_postcodes(data: bytes) -> list[Postcode]:
    """The places of a list; lines without coordinates are left out. Raises `Invalid` for a file that is none."""
    if len(data) > LARGEST:
        raise Invalid([Problem("file", "This file is too large for a list of postcodes.", "/file")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") >= first.count(",") else ","
    try:
        return list(_places(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)))
    except csv.Error:
        raise _no_list() from None


def _no_list() -> Invalid:
    text = "A list of postcodes has columns like code_postal and latitude, longitude."
    return Invalid([Problem("file", text, "/file")])


def _places(lines: csv.DictReader[str]) -> Iterator[Postcode]:
    names = {_plain(name).replace(" ", "_").lstrip("#"): name for name in lines.fieldnames or ()}
    postcode, city, both = (_named(names, known) for known in (_POSTCODE, _CITY, _BOTH))
    latitude, longitude = _named(names, _LATITUDE), _named(names, _LONGITUDE)
    if not postcode or not (both or (latitude and longitude)):
        raise _no_list()
    for line in lines:
        degrees = (line.get(both) or "").split(",") if both else [line.get(latitude) or "", line.get(longitude) or ""]
        point = _point(degrees)
        if point is not None:
            yield Postcode((line.get(postcode) or "").strip(), _plain(line.get(city) or ""), point)


def _point(degrees: Sequence[str]) -> Point | None:
    """None for what is not a place on earth."""
    try:
        latitude, longitude = (Decimal(number.strip()) for number in degrees)
    except (InvalidOperation, ValueError):
        return None
    if not (latitude.is_finite() and longitude.is_finite() and abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return Point(latitude, longitude)


def _named(names: Mapping[str, str], known: Sequence[str]) -> str:
    return next((names[name] for name in known if name in names), "")


def _plain(text: str) -> str:
    """Small letters without accents; dashes are blanks, since lists write names of places in many ways."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("-", " "))
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def without_place(tx: Transaction) -> list[Enterprise]:
    """Those who use transport and have no coordinates, by name."""
    enterprises = enterprises_by_id(tx, enterprises_using(tx, ID)).values()
    return sorted((each for each in enterprises if point_of(each) is None), key=lambda enterprise: enterprise.name)


def locate(tx: Transaction, places: Sequence[Postcode]) -> tuple[list[str], list[str]]:
    """Writes coordinates for those who use transport and have none.

    Returns the names of those that are placed, and of those whose postcode is not in the list.
    """
    by_code: dict[str, list[Postcode]] = {}
    for place in places:
        by_code.setdefault(place.code, []).append(place)
    located: list[str] = []
    unknown: list[str] = []
    for enterprise in without_place(tx):
        matching = by_code.get(enterprise.postcode.strip(), [])
        if matching:
            point = _middle(enterprise, matching)
            change_enterprise(tx, enterprise.id, enterprise.version, latitude=point.latitude, longitude=point.longitude)
        (located if matching else unknown).append(enterprise.name)
    return located, unknown


def _middle(enterprise: Enterprise, places: Sequence[Postcode]) -> Point:
    """Of the place with the enterprise's name of the city, else of all with its postcode."""
    named = [place for place in places if place.city == _plain(enterprise.city)] or places
    latitude = sum((place.point.latitude for place in named), Decimal()) / len(named)
    longitude = sum((place.point.longitude for place in named), Decimal()) / len(named)
    return Point(round(latitude, 5), round(longitude, 5))
