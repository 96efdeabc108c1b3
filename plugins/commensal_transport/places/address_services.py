"""Services that find addresses: Addok, which France's Base Adresse Nationale runs, and Nominatim of OpenStreetMap.

Addok: ``GET {geocoder_url}?q=…&limit=1`` answers GeoJSON, with a score between 0 and 1. Nominatim: ``GET
{geocoder_url}?q=…&format=jsonv2&limit=1&countrycodes=fr`` answers a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import httpx

from commensal import Address, FoundPlace, Instance, convert, hookimpl, http_client

from ..service_settings import ServiceSettings

_SECONDS, _SIZE = 4.0, 256 * 1024  # of a request, and bytes of its answer
_LEAST_SCORE = Decimal("0.5")  # below it Addok has found something else


@dataclass(frozen=True)
class _Geometry:
    """Of GeoJSON: longitude and latitude."""

    coordinates: list[Decimal]


@dataclass(frozen=True)
class _Properties:
    label: str
    score: Decimal = Decimal(0)


@dataclass(frozen=True)
class _Feature:
    geometry: _Geometry
    properties: _Properties


@dataclass(frozen=True)
class _Features:
    """Addok's answer, the best first."""

    features: list[_Feature]


@dataclass(frozen=True)
class _Named:
    """A place as Nominatim names it, with degrees as texts."""

    lat: str
    lon: str
    display_name: str


@hookimpl
def geocode(instance: Instance, address: Address, instance_settings: ServiceSettings) -> FoundPlace | None:
    """None where the operator names no service, and for what it does not find. One that fails raises."""
    if not instance_settings.geocoder:
        return None
    query = {"q": ", ".join(filter(None, (address.street.strip(), f"{address.postcode} {address.city}".strip())))}
    query["limit"] = "1"
    if instance_settings.geocoder == "nominatim":
        query |= {"format": "jsonv2", "countrycodes": address.country.lower()}
    with http_client(instance, seconds=_SECONDS, size=_SIZE) as client:
        answer = client.get(instance_settings.geocoder_url, params=query).raise_for_status()
    document = answer.json(parse_float=Decimal)
    source = httpx.URL(instance_settings.geocoder_url).host
    return _nominatim(document, source) if instance_settings.geocoder == "nominatim" else _addok(document, source)


def _addok(document: object, source: str) -> FoundPlace | None:
    for feature in convert(document, _Features).features[:1]:
        longitude, latitude = feature.geometry.coordinates[:2]
        if feature.properties.score >= _LEAST_SCORE:
            return _place(latitude, longitude, feature.properties.label, source)
    return None


def _nominatim(document: object, source: str) -> FoundPlace | None:
    places = (_place(each.lat, each.lon, each.display_name, source) for each in convert(document, list[_Named])[:1])
    return next(places, None)


def _place(latitude: object, longitude: object, label: str, source: str) -> FoundPlace:
    """Rounded to five decimals, about a metre."""
    degrees = [round(Decimal(str(value)), 5) for value in (latitude, longitude)]
    return FoundPlace(latitude=degrees[0], longitude=degrees[1], label=label[:300], source=source)
