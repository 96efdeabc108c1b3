"""What a hub or a producer chooses for its pages in the shop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec

from commensal import NotFound, Transaction, Unfit, plugin_settings
from commensal.pages import Visit

Accent = Literal["green", "teal", "blue", "violet", "plum", "rust", "brown", "slate"]
ShelfName = Literal[
    "vegetables", "fruit", "dairy", "eggs", "bread", "meat", "fish", "groceries", "drinks", "frozen", "household"
]
_LONGEST = 1000  # characters


@dataclass(frozen=True)
class Settings:
    shelves: tuple[ShelfName, ...] = ()
    """The shelves that come first on the page of a sale, in this order: vegetables, fruit, dairy, eggs, bread, meat,
    fish, groceries, drinks, frozen, household."""

    accent: Accent = "green"
    """The colour of buttons and links."""

    opening_hours: str = ""
    """When people find you, as they shall read it. Plain text."""

    other_opening_hours: Annotated[
        Mapping[str, Annotated[str, msgspec.Meta(max_length=_LONGEST)]], msgspec.Meta(max_length=20)
    ] = field(default_factory=dict)
    """The opening hours in other languages"""

    shown_on: Annotated[tuple[str, ...], msgspec.Meta(max_length=10)] = ()
    """Websites that may show a sale in a frame, such as https://www.example.org. Nobody else may."""

    def __post_init__(self) -> None:
        if len(self.opening_hours) > _LONGEST:
            raise Unfit("opening_hours: at most {most} characters", most=_LONGEST)
        for site in self.shown_on:
            if not _is_origin(site):
                raise Unfit("shown_on: {site} is not an address like https://www.example.org", site=site[:60])


DEFAULTS = Settings()


def settings_of(tx: Transaction, visit: Visit, enterprise_id: str) -> Settings:
    """The settings of an enterprise; the defaults if it has chosen nothing."""
    try:
        return plugin_settings(tx, visit.instance.hooks, enterprise_id, "shop", Settings)
    except NotFound:
        return DEFAULTS


def _is_origin(site: str) -> bool:
    """Whether it is an origin of the web: a scheme and a host, with nothing that could add to a header."""
    return re.fullmatch(r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?", site) is not None
