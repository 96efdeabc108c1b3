"""Values of what is linked at distant platforms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from commensal import Secret

Auth = Literal["none", "token", "api_key", "oidc"]
DfcVersion = Literal["1.16", "2.0"]
State = Literal["active", "suspended", "ended"]
NO_SECRET = Secret("")


@dataclass(frozen=True, kw_only=True)
class Access:
    """How a platform is asked: in which version, and by what right.

    url:     where; nothing is ever sent to another origin than its own
    auth:    `token`: `secret` is a bearer token; `api_key`: it is sent as ``X-Api-Token``, as Open Food Network has it;
             `oidc`: it is the secret of `client_id` at `issuer`, which gives short-lived tokens for it
    version: of DFC, that is asked for
    """

    url: str
    auth: Auth = "none"
    issuer: str = ""
    client_id: str = ""
    secret: Secret = NO_SECRET
    version: DfcVersion = "1.16"

    @property
    def origin(self) -> str:
        return origin_of(self.url)

    @property
    def host(self) -> str:
        """Whose things it may speak for."""
        return host_of(self.url)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A catalogue, or one product, of a distant platform that an enterprise here sells from; times are UTC.

    margin:   percent on top of their prices, where `catalog_id` follows by itself; None: people list
    state:    `suspended`: the platform took it back, so nothing of it is sold; `ended`: the hub has unlinked it
    failures: in a row, the last of which is told by `error`
    products: how many are listed there now
    findings: what of the documents was left out, in words
    """

    id: str
    enterprise_id: str
    url: str
    name: str
    dfc_version: DfcVersion
    auth: Auth
    issuer: str
    client_id: str
    catalog_id: str | None
    margin: Decimal | None
    default_type: str
    default_vat: Decimal | None
    state: State
    refreshed_at: datetime | None
    due_at: datetime
    failures: int
    error: str
    findings: tuple[str, ...]
    products: int
    created_at: datetime
    changed_at: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class LinkedProduct:
    """A product there and its copy here. `price` is theirs for one piece, in minor units of the hub's currency; `stock`
    in pieces, None: as many as you like. Where it has a `case_iri`, that is ordered instead, at `case_price`:
    `case_pieces` pieces fill `case_of` of it."""

    link_id: str
    iri: str
    item_iri: str
    offer_iri: str
    product_id: str
    lot_id: str
    price: int
    stock: int | None
    taken: int
    case_iri: str
    case_offer_iri: str
    case_pieces: int
    case_of: int
    case_price: int | None
    changed_at: datetime
    gone_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What became of a refresh: how many products are new, were written because they changed, and went."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: int = 0


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def host_of(url: str) -> str:
    """Host and port, "" of what is no address."""
    return urlsplit(url).netloc.lower()
