"""One full example of each message, as in federation/MESSAGES.md, which `make generated` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from inspect import cleandoc
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from commensal_federation.dfc.described import facts_of
from commensal_federation.dfc.vocabulary import (
    DfcEnterprise,
    DfcItem,
    DfcLot,
    DfcOffer,
    DfcPrice,
    DfcProduct,
    DfcQuantity,
)
from commensal_federation.handlers import TYPES
from commensal_federation.identity.read import CONTEXT as DOCUMENT_CONTEXT
from commensal_federation.messages.catalogue import (
    Absences,
    CatalogueUpsert,
    CatalogueWithdraw,
    GrantAnswer,
    GrantEnd,
    GrantOffer,
    Hop,
    OfferedItem,
    WithdrawnItem,
)
from commensal_federation.messages.envelope import CONTEXT, LanePlace, write_envelope
from commensal_federation.messages.leases import (
    LeaseForced,
    LeaseGrant,
    LeaseRecall,
    LeaseRefusal,
    LeaseReport,
    LeaseRequest,
    StockLevel,
)
from commensal_federation.messages.moving import (
    Move,
    MoveAccept,
    MoveCancel,
    MoveContest,
    MoveExport,
    MoveFollowed,
    MoveNotice,
    MoveOffer,
    MoveReady,
    RecoveryKeyTold,
)
from commensal_federation.messages.offer_statement import OfferStatement, write_statement
from commensal_federation.messages.order_answer import AnswerLine, OrderAnswer
from commensal_federation.messages.order_update import OrderUpdate, UpdateLine
from commensal_federation.messages.peering import (
    EpochStart,
    KeyUpdate,
    PeerAccept,
    PeerRequest,
    PeerRevoke,
    ProblemBody,
    ScopesChanged,
    StateDigest,
    StateRequest,
)
from commensal_federation.messages.proposals import SaleAnswer, SaleProposal
from commensal_federation.messages.types import Writing
from commensal_federation.moving.recovering import did_of, read_recovery_key, sign_statement
from commensal_federation.signing import SigningKey, sign
from commensal_federation.signing.profile import write_moment

FARM, HUB = "https://farm.example", "https://hub.example"
NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
GRANTOR, TO = f"{FARM}/api/dfc/enterprises/1", f"{HUB}/api/dfc/enterprises/2"
LOT, ITEM, OFFER = f"{FARM}/api/dfc/stocks/3", f"{FARM}/api/dfc/catalog_items/4", f"{FARM}/api/dfc/offers/4.5"
PRODUCT, SALE = f"{FARM}/api/dfc/supplied_products/6", f"{FARM}/api/dfc/coordinations/7"
ORDER, SESSION = f"{HUB}/api/dfc/orders/8", f"{HUB}/api/dfc/sale_sessions/9"
MOVED = f"{HUB}/api/dfc/enterprises/1"
NONCE, DIGEST = "q83vEjRWeJCrze8SNFZ4kA", "0c" * 32
DOCUMENT = '{"@context":["https://www.w3.org/ns/cid/v1","https://commensal.example/ns/federation/v1"],"id":"…"}'
CLOSES, BEGINS = NOW + timedelta(days=2), NOW + timedelta(days=3)


def key_of(base: str) -> SigningKey:
    """The key that signs the messages of the farm, or of the hub."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([len(base)]) * 32)
    return SigningKey(f"{base}/.well-known/commensal#k1", private)


_item = OfferedItem(
    rev=3,
    digest=DIGEST,
    item=DfcItem(iri=ITEM, name="Apples, a crate", product=PRODUCT, enterprise=GRANTOR),
    product=DfcProduct(
        iri=PRODUCT,
        name="Apples",
        description="<p>From old trees.</p>",
        product_type="apple",
        quantity=DfcQuantity(value=Decimal(5), unit="Kilogram"),
        enterprise=GRANTOR,
        lot=LOT,
        lot_quantity=Decimal(5000),
        vat_rate=Decimal("5.5"),
    ),
    lot=DfcLot(
        iri=LOT,
        name="Apples",
        enterprise=GRANTOR,
        quantity=DfcQuantity(value=Decimal(120), unit="Kilogram"),
        per_unit=Decimal(1000),
    ),
    offer=DfcOffer(iri=OFFER, item=ITEM, price=DfcPrice(amount=1250, currency="EUR", vat_rate=Decimal("5.5"))),
    provenance=(Hop(GRANTOR, "The farm"),),
)
_statement = write_statement(
    OfferStatement(
        id=f"{FARM}/-/federation/statements/5.4.3",
        actor=f"{FARM}/.well-known/commensal",
        seller=GRANTOR,
        seller_name="The farm",
        sold_to=TO,
        item=ITEM,
        rev=3,
        facts=facts_of(_item.product, _item.item.name),
        price=1250,
        currency="EUR",
        includes_vat=True,
        origin="",
        published=NOW,
    ),
    key_of(FARM),
)
_item = replace(_item, statement=_statement)
_paper = read_recovery_key(SigningKey("", Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)).secret())
_lease: dict[str, Any] = {"lot": LOT, "unit": "Kilogram"}

# The objects of the messages; the farm's instance sends them, except for those in BY_THE_HUB.
BODIES: dict[str, Any] = {
    "PeerRequest": PeerRequest(DOCUMENT, NONCE, ("catalogue.read",), ("order.place", "stock.lease")),
    "PeerAccept": PeerAccept(NONCE, ("order.place", "stock.lease")),
    "ScopesChanged": ScopesChanged(("catalogue.read", "order.place", "stock.lease")),
    "PeerRevoke": PeerRevoke("We trade no more."),
    "KeyUpdate": KeyUpdate(DOCUMENT),
    "EpochStart": EpochStart(1_780_000_000),
    "Problem": ProblemBody("not_granted", "There is no such lot, or nobody has granted it to you."),
    "StateDigest": StateDigest("catalogue", f"{GRANTOR} {TO}", DIGEST),
    "StateRequest": StateRequest("catalogue", f"{GRANTOR} {TO}"),
    "GrantOffer": GrantOffer(
        grantor=DfcEnterprise(iri=GRANTOR, name="The farm"),
        hub=TO,
        currency="EUR",
        language="fr",
        timezone="Europe/Paris",
        resell=False,
        includes_vat=True,
    ),
    "GrantAnswer": GrantAnswer(
        grantor=GRANTOR, hub=TO, accepted=True, offer=f"{FARM}/-/federation/messages/grantoffer"
    ),
    "GrantEnd": GrantEnd(grantor=GRANTOR, hub=TO),
    "CatalogueUpsert": CatalogueUpsert(
        grantor=GRANTOR,
        hub=TO,
        items=(_item,),
        absences=Absences(rev=1_780_567_200, periods=((date(2026, 8, 3), date(2026, 8, 9)),)),
    ),
    "CatalogueWithdraw": CatalogueWithdraw(grantor=GRANTOR, hub=TO, items=(WithdrawnItem(ITEM, 4),)),
    "StockLevel": StockLevel(**_lease, beyond=Decimal("87.5")),
    "LeaseRequest": LeaseRequest(**_lease, least=Decimal(10), hoped=Decimal(25), ordered=Decimal(12)),
    "LeaseGrant": LeaseGrant(**_lease, epoch=1, granted=Decimal(25), until=NOW + timedelta(days=1), beyond=Decimal(95)),
    "LeaseRefusal": LeaseRefusal(**_lease, beyond=Decimal(0), reason="There is not enough.", barred=True),
    "LeaseReport": LeaseReport(
        **_lease,
        epoch=1,
        report=4,
        seen=Decimal(25),
        returned=Decimal(5),
        held=Decimal(15),
        sold=Decimal(5),
        ordered=Decimal(12),
    ),
    "LeaseRecall": LeaseRecall(**_lease, wanted=Decimal(10)),
    "LeaseForced": LeaseForced(**_lease, epoch=2, sold=Decimal(5)),
    "OrderUpdate": OrderUpdate(
        iri=ORDER,
        buyer=TO,
        supplier=GRANTOR,
        session_iri=SESSION,
        session_name="Thursday",
        closes_at=CLOSES,
        begins_at=BEGINS,
        currency="EUR",
        state="Complete",
        rev=2,
        names=2,
        lines=(
            UpdateLine(
                item_iri=ITEM,
                offer_iri=OFFER,
                rev=3,
                name="Apples, a crate",
                price=1250,
                quantity=4,
                received=3,
                received_quantity=Decimal("15.2"),
                received_amount=3800,
                ordered_amount=5050,
            ),
        ),
        owed=3800,
    ),
    "OrderAnswer": OrderAnswer(
        iri=ORDER,
        answer=1,
        rev=2,
        lines=(
            AnswerLine(item_iri=ITEM, answer="shortened", confirmed=3, reason="Hail.", final_quantity=Decimal("15.2")),
        ),
        receipt="taken",
    ),
    "SaleProposal": SaleProposal(
        iri=SALE,
        producer=GRANTOR,
        hub=TO,
        name="Cherries",
        opens_at=NOW,
        closes_at=CLOSES,
        begins_at=BEGINS,
        ends_at=BEGINS + timedelta(hours=2),
        rev=1,
        withdrawn=False,
    ),
    "SaleAnswer": SaleAnswer(iri=SALE, hub=TO, accepted=True),
    "MoveOffer": MoveOffer(enterprise=GRANTOR, name="The farm", products=1, epoch=2),
    "MoveAccept": MoveAccept(enterprise=GRANTOR, accepted=True),
    "MoveExport": MoveExport(
        enterprise=GRANTOR,
        part=1,
        parts=3,
        rows=(
            {"kind": "catalog", "id": "10", "name": "Crates"},
            {
                "kind": "item",
                "id": "4",
                "catalog_id": "10",
                "product_id": "6",
                "name": "Apples, a crate",
                "position": 1,
                "hidden": False,
                "shown_to": [],
                "prices": [[None, 1250]],
            },
        ),
    ),
    "MoveReady": MoveReady(enterprise=GRANTOR, moved_to=MOVED, renamed={"6": "11"}),
    "MoveCancel": MoveCancel(enterprise=GRANTOR),
    "Move": Move(enterprise=GRANTOR, moved_to=MOVED, epoch=2, renamed={"6": "11"}),
    "MoveFollowed": MoveFollowed(enterprise=GRANTOR, moved_to=MOVED, apart=("6",)),
    "RecoveryKey": RecoveryKeyTold(enterprise=GRANTOR, key=did_of(_paper)),
    "MoveNotice": MoveNotice(enterprise=GRANTOR, moved_to=MOVED, until=BEGINS),
    "MoveContest": MoveContest(
        enterprise=GRANTOR, moved_to=MOVED, statement=sign_statement(_paper, "ContestStatement", GRANTOR, MOVED, 2, NOW)
    ),
}
BY_THE_HUB = {
    "PeerAccept",
    "GrantAnswer",
    "LeaseRequest",
    "LeaseReport",
    "OrderUpdate",
    "SaleAnswer",
    "StateRequest",
    "MoveAccept",
    "MoveReady",
    "MoveFollowed",
    "MoveNotice",
    "MoveContest",
}


def offer_statement() -> dict[str, Any]:
    """What the farm offers to the hub, as the `statement` of its item says it."""
    document: dict[str, Any] = json.loads(_statement)
    return document


def example(name: str) -> bytes:
    """Returns the signed bytes of a message of this type."""
    sender, recipient = (HUB, FARM) if name in BY_THE_HUB else (FARM, HUB)
    message_type = TYPES[name]
    iri = f"{sender}/.well-known/commensal"
    return write_envelope(
        id=f"{sender}/-/federation/messages/{name.lower()}",
        type=name,
        actor=iri,
        to=f"{recipient}/.well-known/commensal",
        place=LanePlace(message_type.lane, 1_780_000_000, 118, ""),
        object=message_type.write(BODIES[name], Writing(sender, recipient)),
        key=key_of(sender),
        now=NOW,
    )


def instance_document() -> dict[str, Any]:
    """The farm's document; its first key signs its messages. It has one revoked key and one standby key."""
    iri = f"{FARM}/.well-known/commensal"
    seeds = {"root": 1, "k0": 2, "k1": len(FARM), "k2": 3}
    keys = {
        name: SigningKey(f"{iri}#{name}", Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))
        for name, seed in seeds.items()
    }
    methods = {
        name: {"id": key.id, "type": "Multikey", "controller": iri, "publicKeyMultibase": key.public.multikey}
        for name, key in keys.items()
    }
    key_set = {
        "@context": DOCUMENT_CONTEXT,
        "id": f"{iri}#keys",
        "type": "KeySet",
        "controller": iri,
        "version": 2,
        "published": write_moment(NOW - timedelta(days=90)),
        "root": methods["root"],
        "assertionMethod": [methods["k1"], methods["k2"]],
    }
    document = {
        "@context": DOCUMENT_CONTEXT,
        "id": iri,
        "type": "Instance",
        "name": "The farm",
        "protocol": ["commensal-fed/1"],
        "inbox": f"{FARM}/-/federation/inbox",
        "outbox": f"{FARM}/-/federation/outbox",
        "ask": f"{FARM}/-/federation/ask",
        "assertionMethod": [methods["k1"], methods["k2"]],
        "oldKeys": [{**methods["k0"], "revoked": write_moment(NOW - timedelta(days=90)), "reason": "stolen"}],
        "keySet": sign(key_set, keys["root"], NOW - timedelta(days=90)),
        "published": write_moment(NOW),
        "validUntil": write_moment(NOW + timedelta(days=7)),
    }
    return sign(document, keys["k1"], NOW)


def authority_document() -> dict[str, Any]:
    """The farm's document of an enterprise that has moved to the hub's instance."""
    iri = f"{FARM}/.well-known/commensal"
    document = {
        "@context": CONTEXT,
        "id": GRANTOR,
        "type": "EnterpriseAuthority",
        "actor": iri,
        "authorityEpoch": 2,
        "movedTo": MOVED,
        "alsoKnownAs": [],
        "recoveryKey": did_of(_paper),
        "published": write_moment(NOW),
    }
    return sign(document, key_of(FARM), NOW)


PREFACE = """\
Made from the code by `make generated`, compared by the suite. The rules are in `README.md`, and `vectors/` has whole
requests in their order: how two instances join, and a first lease.

All proofs here can be made again byte for byte: the farm's private key `#k1` is 32 times the byte 0x14, the hub's
0x13, and the farm's root key 0x01. Quantities are texts in the unit that `dfc-b:hasUnit` names. Blank nodes (`_:b1`)
and the order of nodes in a `@graph` mean nothing. Members that are explained here without a prefix stand in a `@graph`
with the namespace before them, `https://commensal.example/ns/federation/v1#`.
""".splitlines()


STATEMENT = """\
What an enterprise offers to one hub, signed by its instance apart from any message. A `CatalogueUpsert` carries it as a
text in `statement`; README.md says how it is verified. `price` is that of one piece in minor units. `product` has lists
of texts by property; what is not there is not stated. Of goods of another producer, `origin` is the multihash of the
producer's statement, byte for byte, which comes in `originStatement`.
""".splitlines()


def _block(document: Any) -> Iterator[str]:
    yield "```json"
    yield json.dumps(document, indent=1, ensure_ascii=False)
    yield "```"


def text() -> str:
    """The page of all messages, in the order of the table of handlers."""
    return "\n".join([*_lines(), ""])


def _lines() -> Iterator[str]:
    yield "# Every message, once"
    yield ""
    yield from PREFACE
    yield ""
    yield "## The instance document"
    yield ""
    yield "Served at `https://farm.example/.well-known/commensal`, for everybody."
    yield ""
    yield from _block(instance_document())
    yield ""
    yield "## The document of an enterprise"
    yield ""
    yield "Served to peers at `https://farm.example/-/federation/enterprises/1`. `movedTo` is empty until it has moved,"
    yield "`alsoKnownAs` a list of its address before it came, `recoveryKey` empty where it has none."
    yield ""
    yield from _block(authority_document())
    yield ""
    yield "## The statement of an offer"
    yield ""
    yield from STATEMENT
    yield ""
    yield from _block(offer_statement())
    for name in TYPES:
        summary, _, _ = cleandoc(TYPES[name].body.__doc__ or "").partition("\n\n")
        yield ""
        yield f"## {name}"
        yield ""
        yield summary
        yield ""
        yield f"Lane `{TYPES[name].lane}`; scope {f'`{TYPES[name].scope}`' if TYPES[name].scope else 'none'}."
        yield ""
        yield from (f"* `{member}`: {meaning}" for member, meaning in TYPES[name].members.items())
        yield ""
        yield from _block(json.loads(example(name)))
