# ruff: noqa: RUF009 - `dfc` is made for the defaults of dataclasses
"""Values: the DFC vocabulary that platforms exchange, independent of DFC's version and spelling.

Every value has an `iri`. A thing that belongs to another holds the link to it (a line its order, an item its
enterprise), never the other way round; documents have both. An `iri` that begins with ``_:`` is valid within one
document only. Other properties of a document are kept unchanged in `extra` and passed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from .properties import dfc


@dataclass(frozen=True, kw_only=True)
class DfcQuantity:
    """`unit` is the term of a DFC measure ("Kilogram"), or the whole IRI of one that DFC does not have."""

    value: Decimal
    unit: str = "Piece"


@dataclass(frozen=True, kw_only=True)
class DfcPrice:
    """`amount` is in minor units of `currency` (ISO 4217; "" if the document names none); `vat_rate` in
    percent, None if unknown; `includes_vat` whether the VAT is in the amount, None if the document does not say."""

    amount: int
    currency: str
    vat_rate: Decimal | None = None
    includes_vat: bool | None = field(default=None, repr=False)  # digests of what peers were told are made of reprs


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Anything that a document describes.

    also:  its types besides those of its class, such as a vendor's
    extra: properties without a field, each with its values in expanded JSON-LD
    """

    NAMES: ClassVar[tuple[str, ...]] = ()  # of the DFC class: first the one we write, then others that we read
    NAME_2: ClassVar[str] = ""  # written in version 2.0, where it differs

    iri: str
    also: tuple[str, ...] = ()
    extra: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DfcOther(Thing):
    """A thing without a value class here: kept and written unchanged. `also` has all its types."""


# ------------------------------------------------------------------------------------------------ who


@dataclass(frozen=True, kw_only=True)
class DfcEnterprise(Thing):
    """A producer, a hub, a platform's shop. `description` is clean HTML; `image` and `logo` are addresses."""

    NAMES = ("Enterprise", "Organization")
    NAME_2 = "Organization"

    name: str = dfc("text", "name")
    description: str = dfc("html", "description", wire="hasDescription")
    vat_number: str = dfc("text", "VATnumber")
    email: str = dfc("text", "email")
    website: str = dfc("text", "websitePage")
    logo: str = dfc("text", "logo")
    addresses: tuple[str, ...] = dfc("links", "hasAddress")
    phones: tuple[str, ...] = dfc("links", "hasPhoneNumber")
    social: tuple[str, ...] = dfc("links", "hasSocialMedia")
    contact: str | None = dfc("link", "hasMainContact")
    groups: tuple[str, ...] = dfc("links", "affiliatedTo")
    certificates: tuple[str, ...] = dfc("links", "isCertifiedBy", inverse="certifies")


@dataclass(frozen=True, kw_only=True)
class DfcPerson(Thing):
    NAMES = ("Person",)

    first_name: str = dfc("text", "firstName")
    family_name: str = dfc("text", "familyName")
    email: str = dfc("text", "email")
    phones: tuple[str, ...] = dfc("links", "hasPhoneNumber")
    addresses: tuple[str, ...] = dfc("links", "hasAddress")


@dataclass(frozen=True, kw_only=True)
class DfcAddress(Thing):
    """`country` is ISO 3166-1 alpha-2, "" if unknown; latitude and longitude are WGS 84 degrees."""

    NAMES = ("Address",)

    street: str = dfc("text", "street", wire="hasStreet")
    postcode: str = dfc("text", "postcode", wire="hasPostalCode")
    city: str = dfc("text", "city", wire="hasCity")
    region: str = dfc("text", "region")
    country: str = dfc("country", "hasCountry")
    latitude: Decimal | None = dfc("number", "latitude")
    longitude: Decimal | None = dfc("number", "longitude")


@dataclass(frozen=True, kw_only=True)
class DfcPhone(Thing):
    """`country_code` is the international calling code, such as "33"."""

    NAMES = ("PhoneNumber",)

    number: str = dfc("text", "phoneNumber")
    country_code: str = dfc("text", "countryCode")


@dataclass(frozen=True, kw_only=True)
class DfcSocialMedia(Thing):
    NAMES = ("SocialMedia",)

    name: str = dfc("text", "name")
    url: str = dfc("text", "URL")


@dataclass(frozen=True, kw_only=True)
class DfcPlace(Thing):
    """Where goods are collected or delivered."""

    NAMES = ("PhysicalPlace",)

    name: str = dfc("text", "name")
    description: str = dfc("html", "description")
    addresses: tuple[str, ...] = dfc("links", "hasAddress")
    phones: tuple[str, ...] = dfc("links", "hasPhoneNumber")


@dataclass(frozen=True, kw_only=True)
class DfcCertificate(Thing):
    """A certification of an enterprise. `reference` is the certifier's number. The class is misspelt in DFC."""

    NAMES = ("Certfication",)

    name: str = dfc("text", "name")
    reference: str = dfc("text", "certiferReference")


@dataclass(frozen=True, kw_only=True)
class DfcCategory(Thing):
    """A group of an enterprise's customers with prices of its own."""

    NAMES = ("CustomerCategory",)

    name: str = dfc("text", "name")
    description: str = dfc("html", "description")
    enterprise: str | None = dfc("link", "definedBy", inverse="defines")


# ------------------------------------------------------------------------------------------------ what


@dataclass(frozen=True, kw_only=True)
class DfcProduct(Thing):
    """One thing in one size. `quantity` is the net content of a piece.

    labels:    DFC certifications; allergens: DFC allergens (EU 1169/2011, annex II)
    stock:     pieces available; None: unlimited, or unknown
    lot:       the lot it is taken from; a piece takes `lot_quantity` whole parts of it
    weighed:   the price depends on the weight at packing
    refrigerated, frozen: how it is kept; also among what is said of its handling, which peers say
    deposit:   of one piece, not subject to VAT
    vat_rate:  percent, in force where the producer is
    """

    NAMES = ("SuppliedProduct",)

    name: str = dfc("text", "name")
    description: str = dfc("html", "description")
    product_type: str | None = dfc("concept", "hasType", scheme="dfc-pt")
    quantity: DfcQuantity | None = dfc("quantity", "hasQuantity")
    enterprise: str | None = dfc("link", "suppliedBy", inverse="supplies")
    variant_of: str | None = dfc("link", "isVariantOf", inverse="hasVariant")
    images: tuple[str, ...] = dfc("texts", "Image", wire="image")
    labels: tuple[str, ...] = dfc("concepts", "hasCertification", scheme="dfc-f", reads=("isCertifiedBy",))
    claims: tuple[str, ...] = dfc("concepts", "hasClaim", scheme="dfc-f")
    origins: tuple[str, ...] = dfc("concepts", "hasGeographicalOrigin", scheme="dfc-f")
    allergens: tuple[str, ...] = dfc("allergens", "hasAllergenCharacteristic", scheme="dfc-m")
    stock: Decimal | None = dfc("stock", "totalTheoriticalStock", wire="totalTheoreticalStock")
    lot: str | None = dfc("link", "own:takenFrom")
    lot_quantity: Decimal | None = dfc("number", "own:takes")
    weighed: bool = dfc("flag", "own:weighed")
    refrigerated: bool = dfc("flag", "refrigerated")
    frozen: bool = dfc("flag", "frozen")
    deposit: DfcPrice | None = dfc("price", "own:deposit")
    vat_rate: Decimal | None = dfc("number", "own:VATrate")


@dataclass(frozen=True, kw_only=True)
class DfcLot(Thing):
    """A stock that several sizes share. `quantity` may still be ordered; it is counted in `per_unit` parts of its unit.
    `unlimited`: the stock has no limit."""

    NAMES = ("TheoreticalStock", "TheoriticalStock")

    name: str = dfc("text", "name")
    enterprise: str | None = dfc("link", "own:heldBy")
    quantity: DfcQuantity | None = dfc("quantity", "hasQuantity")
    per_unit: Decimal | None = dfc("number", "own:perUnit")
    unlimited: bool = dfc("flag", "own:unlimited")
    available_from: datetime | None = dfc("moment", "availabilityDate")


@dataclass(frozen=True, kw_only=True)
class DfcCatalog(Thing):
    NAMES = ("Catalog",)

    name: str = dfc("text", "name")
    enterprise: str | None = dfc("link", "maintainedBy", inverse="maintains")


@dataclass(frozen=True, kw_only=True)
class DfcItem(Thing):
    """A product as an enterprise lists it. `stock`: pieces that may be ordered; None: unlimited."""

    NAMES = ("CatalogItem",)

    name: str = dfc("text", "name")
    product: str | None = dfc("link", "references", inverse="referencedBy")
    catalogs: tuple[str, ...] = dfc("links", "listedIn", inverse="lists")
    enterprise: str | None = dfc("link", "managedBy", inverse="manages")
    sku: str = dfc("text", "sku")
    stock: Decimal | None = dfc("stock", "stockLimitation")
    hidden: bool = dfc("flag", "own:hidden")


@dataclass(frozen=True, kw_only=True)
class DfcOffer(Thing):
    """The price of an item for a customer category, or for everybody. `item` is a product where a platform offers
    products. `stock`: a limit of this offer alone, in pieces."""

    NAMES = ("Offer",)

    item: str | None = dfc("link", "offers", wire="offeredItem", inverse="offeredThrough")
    category: str | None = dfc("link", "offersTo", wire="offeredTo", inverse="hasOffer")
    price: DfcPrice | None = dfc("price", "hasPrice")
    stock: Decimal | None = dfc("stock", "stockLimitation")
    discount: Decimal | None = dfc("number", "discount")
    sessions: tuple[str, ...] = dfc("links", "listedIn", inverse="lists")


# ------------------------------------------------------------------------------------------------ cases


@dataclass(frozen=True, kw_only=True)
class DfcTransformation(Thing):
    """How many pieces of one product make a case of another. `kind`: a DFC type of transformation ("combine")."""

    NAMES = ("AsPlannedTransformation",)

    kind: str | None = dfc("concept", "hasTransformationType", scheme="dfc-v")


@dataclass(frozen=True, kw_only=True)
class DfcConsumption(Thing):
    NAMES = ("AsPlannedConsumptionFlow",)

    transformation: str | None = dfc("link", "inputOf", inverse="hasInput")
    product: str | None = dfc("link", "consumes", inverse="consumedBy")
    quantity: DfcQuantity | None = dfc("quantity", "hasQuantity")


@dataclass(frozen=True, kw_only=True)
class DfcProduction(Thing):
    NAMES = ("AsPlannedProductionFlow",)

    transformation: str | None = dfc("link", "outputOf", inverse="hasOutput")
    product: str | None = dfc("link", "produces", inverse="producedBy")
    quantity: DfcQuantity | None = dfc("quantity", "hasQuantity")


# ------------------------------------------------------------------------------------------------ sales and orders


@dataclass(frozen=True, kw_only=True)
class DfcCoordination(Thing):
    """An order cycle of several suppliers, at one or more shops. `margin` in percent."""

    NAMES = ("Coordination",)

    name: str = dfc("text", "name")
    enterprise: str | None = dfc("link", "coordinatedBy", inverse="coordinates")
    margin: Decimal | None = dfc("number", "marginPercent")


@dataclass(frozen=True, kw_only=True)
class DfcSession(Thing):
    """A sale that takes orders from `opens_at` to `closes_at`. Its shipping options say when and where goods come."""

    NAMES = ("SaleSession",)

    name: str = dfc("text", "name")
    opens_at: datetime | None = dfc("moment", "startDate", wire="beginDate")
    closes_at: datetime | None = dfc("moment", "endDate")
    coordination: str | None = dfc("link", "objectOf", inverse="hasObject")
    place: str | None = dfc("link", "hostedAt", inverse="hosts")


@dataclass(frozen=True, kw_only=True)
class DfcShippingOption(Thing):
    """A way for the goods of a session to reach customers. `fee` in the currency of the session's prices."""

    NAMES = ("ShippingOption",)

    name: str = dfc("text", "name")
    fee: Decimal | None = dfc("number", "fee")
    begins_at: datetime | None = dfc("moment", "startDate", wire="beginDate")
    ends_at: datetime | None = dfc("moment", "endDate")
    session: str | None = dfc("link", "optionOf", inverse="hasOption")


@dataclass(frozen=True, kw_only=True)
class DfcPickup(DfcShippingOption):
    NAMES = ("PickupOption",)

    place: str | None = dfc("link", "pickedUpAt")


@dataclass(frozen=True, kw_only=True)
class DfcDelivery(DfcShippingOption):
    NAMES = ("DeliveryOption",)

    place: str | None = dfc("link", "deliveredAt")


@dataclass(frozen=True, kw_only=True)
class DfcOrder(Thing):
    """States are DFC's: Draft, Held, Complete, Cancelled; Unpaid, Paid; Held, Unfulfilled, Fulfilled. Platforms that
    are deployed say Held of an order that is still amended."""

    NAMES = ("Order",)

    number: str = dfc("text", "orderNumber")
    date: datetime | None = dfc("moment", "date")
    session: str | None = dfc("link", "belongsTo", inverse="holds")
    ordered_by: str | None = dfc("link", "orderedBy", inverse="orders")
    sold_by: str | None = dfc("link", "soldBy", inverse="sells")
    shipping: str | None = dfc("link", "selects", inverse="selectedBy")
    state: str | None = dfc("concept", "hasOrderStatus", scheme="dfc-v")
    payment_state: str | None = dfc("concept", "hasPaymentStatus", scheme="dfc-v")
    fulfilment_state: str | None = dfc("concept", "hasFulfilmentStatus", scheme="dfc-v")
    discount: Decimal | None = dfc("number", "discount")


@dataclass(frozen=True, kw_only=True)
class DfcLine(Thing):
    """`quantity` is in pieces, or in the unit of what is weighed; `price` is of one piece.

    answer:  what the seller says of it: "", "confirmed", "shortened" or "refused"; DFC has no word for that
    reason:  why, for people
    """

    NAMES = ("OrderLine",)

    order: str | None = dfc("link", "partOf", inverse="hasPart")
    offer: str | None = dfc("link", "concerns", inverse="concernedBy")
    quantity: DfcQuantity | None = dfc("quantity", "hasQuantity")
    price: DfcPrice | None = dfc("price", "hasPrice")
    discount: Decimal | None = dfc("number", "discount")
    wanted: DfcQuantity | None = dfc("quantity", "own:wanted")
    answer: str = dfc("text", "own:answer")
    reason: str = dfc("text", "own:reason")


# ------------------------------------------------------------------------------------------------ transport


@dataclass(frozen=True, kw_only=True)
class DfcVehicle(Thing):
    """`room`: how much it carries, in each unit ("Crate", "Kilogram"). DFC has no word for whose it is."""

    NAMES = ("Vehicle",)

    name: str = dfc("text", "name")
    room: tuple[DfcQuantity, ...] = dfc("quantities", "hasQuantity")
    based_at: str | None = dfc("link", "basedAt")
    refrigerated: bool = dfc("flag", "refrigerated")
    frozen: bool = dfc("flag", "frozen")


@dataclass(frozen=True, kw_only=True)
class DfcLoad(Thing):
    """What a shipment transports, as one load: the same goods in each unit."""

    NAMES = ("Stock",)

    quantities: tuple[DfcQuantity, ...] = dfc("quantities", "hasQuantity")


@dataclass(frozen=True, kw_only=True)
class DfcShipment(Thing):
    """Goods on their way between two places; Verso names their addresses instead."""

    NAMES = ("Shipment",)

    origin: str | None = dfc("link", "startsAt", reads=("startAt",))
    destination: str | None = dfc("link", "endsAt", reads=("endAt",))
    leaves_at: datetime | None = dfc("moment", "startDate", wire="beginDate")
    arrives_at: datetime | None = dfc("moment", "endDate")
    loads: tuple[str, ...] = dfc("links", "transports", inverse="transportedBy")
    vehicle: str | None = dfc("link", "isShippedIn", inverse="ships", reads=("isChippedIn",))


@dataclass(frozen=True, kw_only=True)
class DfcRoute(Thing):
    """The way of a vehicle on one day. Its steps name it, and their order is that of `DfcStep.position`."""

    NAMES = ("Route",)

    name: str = dfc("text", "name")
    description: str = dfc("html", "description")
    vehicle: str | None = dfc("link", "useVehicle", inverse="usedInRoute", reads=("vehicle",))
    carrier: str | None = dfc("link", "own:carrier")


@dataclass(frozen=True, kw_only=True)
class DfcStep(Thing):
    """A stop of a route: where it starts or ends, or either kind below.

    position:    in the order of the route, from 1; `place`: where it is. DFC has words for neither
    duration:    of loading and unloading
    time_of_day: of a route without a day, as the Container Discovery API has it: "08:00"
    pick_ups, deliveries: shipments; Verso's steps say what they are by `kind`
    """

    NAMES = ("Step",)

    name: str = dfc("text", "name")
    route: str | None = dfc("link", "isStepOf", inverse="hasStep", reads=("hasRoute",))
    position: Decimal | None = dfc("number", "own:position")
    place: str | None = dfc("link", "own:place")
    arrives_at: datetime | None = dfc("moment", "arrivalDate", reads=("arrival",))
    duration: timedelta | None = dfc("duration", "duration")
    time_of_day: str = dfc("text", "own:timeOfDay", reads=("startsAt",))
    kind: str = dfc("text", "own:kind", reads=("stepType",))
    pick_ups: tuple[str, ...] = dfc("links", "pickUp")
    deliveries: tuple[str, ...] = dfc("links", "delivery")


@dataclass(frozen=True, kw_only=True)
class DfcPickUpStep(DfcStep):
    NAMES = ("PickUpStep",)


@dataclass(frozen=True, kw_only=True)
class DfcDeliveryStep(DfcStep):
    NAMES = ("DeliveryStep",)


# ------------------------------------------------------------------------------------------------ events


@dataclass(frozen=True, kw_only=True)
class DfcEvent:
    """The notice of a change that deployed platforms send each other. `kind`: "refresh", "update" or "revoke"."""

    kind: str
    enterprise: str = ""
    scope: str = ""
    objects: tuple[str, ...] = ()


THINGS: tuple[type[Thing], ...] = (
    DfcEnterprise,
    DfcPerson,
    DfcAddress,
    DfcPhone,
    DfcSocialMedia,
    DfcPlace,
    DfcCertificate,
    DfcCategory,
    DfcProduct,
    DfcLot,
    DfcCatalog,
    DfcItem,
    DfcOffer,
    DfcTransformation,
    DfcConsumption,
    DfcProduction,
    DfcCoordination,
    DfcSession,
    DfcShippingOption,
    DfcPickup,
    DfcDelivery,
    DfcOrder,
    DfcLine,
    DfcVehicle,
    DfcLoad,
    DfcShipment,
    DfcRoute,
    DfcStep,
    DfcPickUpStep,
    DfcDeliveryStep,
)
