# ruff: noqa: RUF009 - `said` is made for the defaults of dataclasses
"""Values: what two platforms can say to each other about food, independent of a version of DFC and of its spelling.

Every value has the `iri` that names it. A thing that belongs to another holds the link to it (a line its order, an item
its enterprise), never the other way round; documents have both. An `iri` that begins with ``_:`` names something within
one document only. What a document said besides is kept in `extra` and passed on: its properties, as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from .saying import said


@dataclass(frozen=True, kw_only=True)
class DfcQuantity:
    """`unit` is the term of a DFC measure ("Kilogram"), or the whole IRI of one that DFC does not have."""

    value: Decimal
    unit: str = "Piece"


@dataclass(frozen=True, kw_only=True)
class DfcPrice:
    """`amount` is in minor units of `currency`, which is of ISO 4217 ("" where the document names none); `vat_rate` in
    percent, None where nothing is said of it."""

    amount: int
    currency: str
    vat_rate: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Thing:
    """also:  types of others that it has besides, such as a vendor's
    extra: properties that no field holds, each with its values in expanded JSON-LD
    """

    NAMES: ClassVar[tuple[str, ...]] = ()  # of its class: the one written first, then those read as well
    NAME_2: ClassVar[str] = ""  # written in version 2.0, where it differs

    iri: str
    also: tuple[str, ...] = ()
    extra: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DfcOther(Thing):
    """Something that Commensal has no value for: kept as it is, and written as it was. `also` has all its types."""


# ------------------------------------------------------------------------------------------------ who


@dataclass(frozen=True, kw_only=True)
class DfcEnterprise(Thing):
    """A producer, a hub, a platform's shop. `description` is clean HTML; `image` and `logo` are addresses."""

    NAMES = ("Enterprise", "Organization")
    NAME_2 = "Organization"

    name: str = said("text", "name")
    description: str = said("html", "description", wire="hasDescription")
    vat_number: str = said("text", "VATnumber")
    email: str = said("text", "email")
    website: str = said("text", "websitePage")
    logo: str = said("text", "logo")
    addresses: tuple[str, ...] = said("links", "hasAddress")
    phones: tuple[str, ...] = said("links", "hasPhoneNumber")
    social: tuple[str, ...] = said("links", "hasSocialMedia")
    contact: str | None = said("link", "hasMainContact")
    groups: tuple[str, ...] = said("links", "affiliatedTo")


@dataclass(frozen=True, kw_only=True)
class DfcPerson(Thing):
    NAMES = ("Person",)

    first_name: str = said("text", "firstName")
    family_name: str = said("text", "familyName")
    email: str = said("text", "email")
    phones: tuple[str, ...] = said("links", "hasPhoneNumber")
    addresses: tuple[str, ...] = said("links", "hasAddress")


@dataclass(frozen=True, kw_only=True)
class DfcAddress(Thing):
    """`country` is ISO 3166-1 alpha-2, "" where none is said; degrees are WGS 84."""

    NAMES = ("Address",)

    street: str = said("text", "street", wire="hasStreet")
    postcode: str = said("text", "postcode", wire="hasPostalCode")
    city: str = said("text", "city", wire="hasCity")
    region: str = said("text", "region")
    country: str = said("country", "hasCountry")
    latitude: Decimal | None = said("number", "latitude")
    longitude: Decimal | None = said("number", "longitude")


@dataclass(frozen=True, kw_only=True)
class DfcPhone(Thing):
    """`country_code` is that of the telephone network, such as "33"."""

    NAMES = ("PhoneNumber",)

    number: str = said("text", "phoneNumber")
    country_code: str = said("text", "countryCode")


@dataclass(frozen=True, kw_only=True)
class DfcSocialMedia(Thing):
    NAMES = ("SocialMedia",)

    name: str = said("text", "name")
    url: str = said("text", "URL")


@dataclass(frozen=True, kw_only=True)
class DfcPlace(Thing):
    """Where goods are collected or delivered."""

    NAMES = ("PhysicalPlace",)

    name: str = said("text", "name")
    description: str = said("html", "description")
    addresses: tuple[str, ...] = said("links", "hasAddress")
    phones: tuple[str, ...] = said("links", "hasPhoneNumber")


@dataclass(frozen=True, kw_only=True)
class DfcCategory(Thing):
    """A group of an enterprise's customers, for whom there are prices of their own."""

    NAMES = ("CustomerCategory",)

    name: str = said("text", "name")
    description: str = said("html", "description")
    enterprise: str | None = said("link", "definedBy", inverse="defines")


# ------------------------------------------------------------------------------------------------ what


@dataclass(frozen=True, kw_only=True)
class DfcProduct(Thing):
    """One thing in one size. `quantity` is the net content of a piece.

    labels:    DFC certifications; allergens: DFC allergens (EU 1169/2011, annex II)
    stock:     pieces there are; None: as many as you like, or nothing is said
    lot:       the stock it is taken from, of which a piece takes `lot_quantity` whole parts
    weighed:   the price follows the weight at packing
    deposit:   for one piece, outside VAT
    vat_rate:  percent, in force where the producer is
    """

    NAMES = ("SuppliedProduct",)

    name: str = said("text", "name")
    description: str = said("html", "description")
    product_type: str | None = said("concept", "hasType", scheme="dfc-pt")
    quantity: DfcQuantity | None = said("quantity", "hasQuantity")
    enterprise: str | None = said("link", "suppliedBy", inverse="supplies")
    variant_of: str | None = said("link", "isVariantOf", inverse="hasVariant")
    images: tuple[str, ...] = said("texts", "Image", wire="image")
    labels: tuple[str, ...] = said("concepts", "hasCertification", scheme="dfc-f")
    claims: tuple[str, ...] = said("concepts", "hasClaim", scheme="dfc-f")
    origins: tuple[str, ...] = said("concepts", "hasGeographicalOrigin", scheme="dfc-f")
    allergens: tuple[str, ...] = said("allergens", "hasAllergenCharacteristic", scheme="dfc-m")
    stock: Decimal | None = said("stock", "totalTheoriticalStock", wire="totalTheoreticalStock")
    lot: str | None = said("link", "own:takenFrom")
    lot_quantity: Decimal | None = said("number", "own:takes")
    weighed: bool = said("flag", "own:weighed")
    deposit: DfcPrice | None = said("price", "own:deposit")
    vat_rate: Decimal | None = said("number", "own:VATrate")


@dataclass(frozen=True, kw_only=True)
class DfcLot(Thing):
    """A stock that several sizes share. `quantity` is what may still be ordered of it, counted in `per_unit` parts of
    its unit; `unlimited`: always to be had."""

    NAMES = ("TheoreticalStock", "TheoriticalStock")

    name: str = said("text", "name")
    enterprise: str | None = said("link", "own:heldBy")
    quantity: DfcQuantity | None = said("quantity", "hasQuantity")
    per_unit: Decimal | None = said("number", "own:perUnit")
    unlimited: bool = said("flag", "own:unlimited")
    available_from: datetime | None = said("moment", "availabilityDate")


@dataclass(frozen=True, kw_only=True)
class DfcCatalog(Thing):
    NAMES = ("Catalog",)

    name: str = said("text", "name")
    enterprise: str | None = said("link", "maintainedBy", inverse="maintains")


@dataclass(frozen=True, kw_only=True)
class DfcItem(Thing):
    """A product as an enterprise lists it. `stock`: pieces that may be ordered; None: as many as you like."""

    NAMES = ("CatalogItem",)

    name: str = said("text", "name")
    product: str | None = said("link", "references", inverse="referencedBy")
    catalogs: tuple[str, ...] = said("links", "listedIn", inverse="lists")
    enterprise: str | None = said("link", "managedBy", inverse="manages")
    sku: str = said("text", "sku")
    stock: Decimal | None = said("stock", "stockLimitation")
    hidden: bool = said("flag", "own:hidden")


@dataclass(frozen=True, kw_only=True)
class DfcOffer(Thing):
    """The price of an item for a customer category, or for everybody. `item` is a product where a platform offers
    products. `stock`: a limit of this offer alone, in pieces."""

    NAMES = ("Offer",)

    item: str | None = said("link", "offers", wire="offeredItem", inverse="offeredThrough")
    category: str | None = said("link", "offersTo", wire="offeredTo", inverse="hasOffer")
    price: DfcPrice | None = said("price", "hasPrice")
    stock: Decimal | None = said("stock", "stockLimitation")
    discount: Decimal | None = said("number", "discount")
    sessions: tuple[str, ...] = said("links", "listedIn", inverse="lists")


# ------------------------------------------------------------------------------------------------ cases


@dataclass(frozen=True, kw_only=True)
class DfcTransformation(Thing):
    """What is made of what: how many pieces fill a case. `kind` is a DFC type of transformation ("combine")."""

    NAMES = ("AsPlannedTransformation",)

    kind: str | None = said("concept", "hasTransformationType", scheme="dfc-v")


@dataclass(frozen=True, kw_only=True)
class DfcConsumption(Thing):
    NAMES = ("AsPlannedConsumptionFlow",)

    transformation: str | None = said("link", "inputOf", inverse="hasInput")
    product: str | None = said("link", "consumes", inverse="consumedBy")
    quantity: DfcQuantity | None = said("quantity", "hasQuantity")


@dataclass(frozen=True, kw_only=True)
class DfcProduction(Thing):
    NAMES = ("AsPlannedProductionFlow",)

    transformation: str | None = said("link", "outputOf", inverse="hasOutput")
    product: str | None = said("link", "produces", inverse="producedBy")
    quantity: DfcQuantity | None = said("quantity", "hasQuantity")


# ------------------------------------------------------------------------------------------------ sales and orders


@dataclass(frozen=True, kw_only=True)
class DfcCoordination(Thing):
    """One sale of several suppliers, at one or more shops. `margin` in percent."""

    NAMES = ("Coordination",)

    name: str = said("text", "name")
    enterprise: str | None = said("link", "coordinatedBy", inverse="coordinates")
    margin: Decimal | None = said("number", "marginPercent")


@dataclass(frozen=True, kw_only=True)
class DfcSession(Thing):
    """When orders are taken for what, from `opens_at` to `closes_at`; when and where goods come: see its options."""

    NAMES = ("SaleSession",)

    name: str = said("text", "name")
    opens_at: datetime | None = said("moment", "startDate", wire="beginDate")
    closes_at: datetime | None = said("moment", "endDate")
    coordination: str | None = said("link", "objectOf", inverse="hasObject")
    place: str | None = said("link", "hostedAt", inverse="hosts")


@dataclass(frozen=True, kw_only=True)
class DfcShippingOption(Thing):
    """A way for the goods of a session to reach customers. `fee` in the money of the session's prices."""

    NAMES = ("ShippingOption",)

    name: str = said("text", "name")
    fee: Decimal | None = said("number", "fee")
    begins_at: datetime | None = said("moment", "startDate", wire="beginDate")
    ends_at: datetime | None = said("moment", "endDate")
    session: str | None = said("link", "optionOf", inverse="hasOption")


@dataclass(frozen=True, kw_only=True)
class DfcPickup(DfcShippingOption):
    NAMES = ("PickupOption",)

    place: str | None = said("link", "pickedUpAt")


@dataclass(frozen=True, kw_only=True)
class DfcDelivery(DfcShippingOption):
    NAMES = ("DeliveryOption",)

    place: str | None = said("link", "deliveredAt")


@dataclass(frozen=True, kw_only=True)
class DfcOrder(Thing):
    """States are DFC's: Draft, Held, Complete, Cancelled; Unpaid, Paid; Held, Unfulfilled, Fulfilled. Platforms that
    are deployed say Held of an order that is still amended."""

    NAMES = ("Order",)

    number: str = said("text", "orderNumber")
    date: datetime | None = said("moment", "date")
    session: str | None = said("link", "belongsTo", inverse="holds")
    ordered_by: str | None = said("link", "orderedBy", inverse="orders")
    sold_by: str | None = said("link", "soldBy", inverse="sells")
    shipping: str | None = said("link", "selects", inverse="selectedBy")
    state: str | None = said("concept", "hasOrderStatus", scheme="dfc-v")
    payment_state: str | None = said("concept", "hasPaymentStatus", scheme="dfc-v")
    fulfilment_state: str | None = said("concept", "hasFulfilmentStatus", scheme="dfc-v")
    discount: Decimal | None = said("number", "discount")


@dataclass(frozen=True, kw_only=True)
class DfcLine(Thing):
    """`quantity` is in pieces, or in the unit of what is weighed; `price` is of one piece.

    answer:  what the seller says of it: "", "confirmed", "shortened" or "refused"; DFC has no word for that
    reason:  why, for people
    """

    NAMES = ("OrderLine",)

    order: str | None = said("link", "partOf", inverse="hasPart")
    offer: str | None = said("link", "concerns", inverse="concernedBy")
    quantity: DfcQuantity | None = said("quantity", "hasQuantity")
    price: DfcPrice | None = said("price", "hasPrice")
    discount: Decimal | None = said("number", "discount")
    wanted: DfcQuantity | None = said("quantity", "own:wanted")
    answer: str = said("text", "own:answer")
    reason: str = said("text", "own:reason")


# ------------------------------------------------------------------------------------------------ events


@dataclass(frozen=True, kw_only=True)
class DfcEvent:
    """The notice that deployed platforms send each other: `kind` is "refresh", "update" or "revoke"."""

    kind: str
    enterprise: str = ""
    scope: str = ""
    objects: tuple[str, ...] = ()


THINGS: tuple[type[Thing], ...] = (
    DfcEnterprise, DfcPerson, DfcAddress, DfcPhone, DfcSocialMedia, DfcPlace, DfcCategory, DfcProduct, DfcLot,
    DfcCatalog, DfcItem, DfcOffer, DfcTransformation, DfcConsumption, DfcProduction, DfcCoordination, DfcSession,
    DfcShippingOption, DfcPickup, DfcDelivery, DfcOrder, DfcLine,
)  # fmt: skip
