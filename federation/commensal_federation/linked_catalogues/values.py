"""Values of links to platforms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from commensal import Amount, Conflict, Margin, Secret

Auth = Literal["none", "token", "api_key", "oidc"]
DfcVersion = Literal["1.16", "2.0"]
State = Literal["active", "suspended", "ended"]
NO_SECRET = Secret("")


@dataclass(frozen=True, kw_only=True)
class Access:
    """The address of a platform, the credentials, and the version of DFC.

    url:     requests go to its origin only
    auth:    `token`: `secret` is a bearer token; `api_key`: it is sent as ``X-Api-Token``, for Open Food Network;
             `oidc`: it is the secret of `client_id` at `issuer`, which issues short-lived tokens
    version: the requested version of DFC
    prices_include_vat: whether prices have VAT that do not say so
    """

    url: str
    auth: Auth = "none"
    issuer: str = ""
    client_id: str = ""
    secret: Secret = NO_SECRET
    version: DfcVersion = "1.16"
    prices_include_vat: bool = True

    @property
    def origin(self) -> str:
        return origin_of(self.url)

    @property
    def host(self) -> str:
        """The host whose things the platform may offer."""
        return host_of(self.url)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A catalogue, or one product, of a platform from which an enterprise here sells; times are UTC.

    prices_include_vat: whether prices have VAT that do not say so
    margin:   percent on top of their prices, for automatic listing in `catalog_id`; None: people list the goods
    state:    `suspended`: the platform has revoked it, so its goods are off sale; `ended`: the hub has unlinked it
    failures: in a row; `error` is the last one
    products: number of products listed there now
    findings: texts on goods that were left out
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
    margin: Margin | None
    default_type: str
    default_vat: Decimal | None
    prices_include_vat: bool
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
    """A product of a platform and its copy here.

    `price` is the platform's for one piece, in minor units of the hub's currency; `stock` in pieces, None: unlimited. A
    product with a `case_iri` is ordered by the case, at `case_price`: `case_pieces` pieces fill `case_of` cases.
    """

    link_id: str
    iri: str
    item_iri: str
    offer_iri: str
    product_id: str
    lot_id: str
    price: Amount
    stock: int | None
    taken: int
    case_iri: str
    case_offer_iri: str
    case_pieces: int
    case_of: int
    case_price: Amount | None
    changed_at: datetime
    gone_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """The result of a refresh: numbers of new, changed, removed and unchanged products."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: int = 0


def origin_of(url: str) -> str:
    """Returns scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def host_of(url: str) -> str:
    """Returns host and port of a URL, "" for any other text."""
    return urlsplit(url).netloc.lower()


# The error of a request to a linked platform.


class NotAnswered(Conflict):
    """A platform did not answer a request as it should.

    answered: HTTP status of its answer, 0 without one
    problem:  code of its refusal in problem details, if any
    again:    a later attempt may succeed, not before `earliest` (UTC) if that is given
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        answered: int = 0,
        again: bool = False,
        earliest: datetime | None = None,
        problem: str = "",
        **values: object,
    ) -> None:
        super().__init__(code, text, **values)
        self.answered, self.again, self.earliest, self.problem = answered, again, earliest, problem
