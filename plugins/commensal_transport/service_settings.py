"""The operator's settings: services that measure distances by road and find addresses, and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from commensal import Unfit, hookimpl


@dataclass(frozen=True)
class ServiceSettings:
    roads: Literal["", "osrm", "valhalla"] = ""
    """The service that measures distances by road: "osrm" or "valhalla"; empty: the great circle times 1.3."""
    roads_url: str = ""
    """Its address, such as ``https://osrm.example.org``. One in your own network must be allowed in `[outbound]`."""
    geocoder: Literal["", "addok", "nominatim"] = ""
    """The service that finds addresses of hubs, producers and places: "addok" or "nominatim"; empty: none."""
    geocoder_url: str = ""
    """Where it is asked, such as ``https://data.geopf.fr/geocodage/search``, which is Addok for France."""

    prices_a_day: int = 500
    """How many prices each other site may ask for in a day (UTC). With very many one would learn where vans drive."""

    cents_per_km: int = 100
    """What a kilometre counts at most in help between farms, in cents. What a carrier asks above it would be pay."""

    def __post_init__(self) -> None:
        if not 1 <= self.prices_a_day <= 1_000_000:
            raise Unfit("prices_a_day: between 1 and 1,000,000")
        if not 0 <= self.cents_per_km <= 1_000:
            raise Unfit("cents_per_km: between 0 and 1,000")
        if bool(self.roads) != bool(self.roads_url):
            raise Unfit("roads, roads_url: one needs the other")
        if self.roads_url and not self.roads_url.startswith(("https://", "http://")):
            raise Unfit("roads_url: an address like https://osrm.example.org")
        if bool(self.geocoder) != bool(self.geocoder_url):
            raise Unfit("geocoder, geocoder_url: one needs the other")
        if self.geocoder_url and not self.geocoder_url.startswith(("https://", "http://")):
            raise Unfit("geocoder_url: an address like https://data.geopf.fr/geocodage/search")


@hookimpl
def instance_settings() -> type:
    return ServiceSettings
