"""Tables of links to platforms."""

from datetime import timedelta

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint, select

from commensal import (
    DERIVED,
    SECRET,
    Exact,
    Flag,
    Json,
    Time,
    Transaction,
    Whole,
    at_most_ahead,
    checked_in,
    metadata,
    untraced,
)

# A catalogue, or one product, of a platform from which an enterprise here sells.
federation_link = Table(
    "federation_link",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, nullable=False),  # ours, the hub
    Column("url", Text, nullable=False),
    Column("name", Text, nullable=False),  # what people call it
    Column("dfc_version", Text, nullable=False),  # of requests
    Column("auth", Text, nullable=False),
    Column("issuer", Text, nullable=False),  # of tokens, for `oidc`
    Column("client_id", Text, nullable=False),
    Column("secret", Text, nullable=False, info=SECRET),  # a token, a key, or the secret of the client
    Column("catalog_id", Text),  # of the hub: where goods are listed automatically
    Column("margin", Exact),  # percent on top of their prices; none: people list
    Column("default_type", Text, nullable=False),  # of products without a type that is known here
    Column("default_vat", Exact),  # percent, of products that name no rate
    Column("prices_include_vat", Flag, nullable=False),  # those that do not say so themselves
    Column("state", Text, nullable=False),
    Column("etag", Text, nullable=False, info=DERIVED),
    Column("digest", Text, nullable=False, info=DERIVED),  # of the last reading
    Column("refreshed_at", Time, info=DERIVED),  # the last successful reading
    Column("tried_at", Time, info=DERIVED),
    Column(
        "due_at", Time, nullable=False, info={**DERIVED, **at_most_ahead(timedelta(days=1))}
    ),  # when it is read again
    Column("failures", Whole, nullable=False, info=DERIVED),  # in a row
    Column("error", Text, nullable=False, info=DERIVED),  # of the last try, in the hub's language
    Column("findings", Json, nullable=False, info=DERIVED),  # what was left out, in the hub's language
    Column("created_at", Time, nullable=False),
    Column("created_by", Text),
    Column("changed_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    UniqueConstraint("enterprise_id", "url"),
    Index("ix_federation_link_due", "state", "due_at"),
    checked_in("dfc_version", ("1.16", "2.0")),
    checked_in("auth", ("none", "token", "api_key", "oidc")),
    checked_in("state", ("active", "suspended", "ended")),
    sqlite_strict=True,
)

# An enterprise of a platform, and its copy here. Each hub has copies of its own, since each reads with its own token.
federation_linked_producer = Table(
    "federation_linked_producer",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # the hub
    Column("iri", Text, nullable=False),
    Column("producer_id", Text, ForeignKey("enterprise.id"), nullable=False, unique=True),  # the copy
    Column("created_at", Time, nullable=False),
    PrimaryKeyConstraint("enterprise_id", "iri"),
    sqlite_strict=True,
)

# A product of a platform, read by a link, and its copy here.
federation_linked_product = Table(
    "federation_linked_product",
    metadata,
    Column("link_id", Text, ForeignKey("federation_link.id"), nullable=False),
    Column("iri", Text, nullable=False),  # of the supplied product
    Column("item_iri", Text, nullable=False),  # of the catalog item; empty where the platform has none
    Column("offer_iri", Text, nullable=False),  # of the price that counts here; empty where it has no name
    Column("product_id", Text, nullable=False, index=True),  # the copy
    Column("lot_id", Text, nullable=False, index=True),  # the copy
    Column("price", Whole, nullable=False),  # theirs, minor units of the hub's currency, for one piece
    Column("stock", Whole),  # pieces that may be ordered there, at the last reading; null: unlimited
    Column("taken", Whole, nullable=False),  # pieces of our orders there, which `stock` excludes already
    Column("case_iri", Text, nullable=False),  # of the product that is ordered instead, when it comes in cases
    Column("case_offer_iri", Text, nullable=False),
    Column("case_pieces", Whole, nullable=False),  # so many pieces …
    Column("case_of", Whole, nullable=False),  # … fill so many cases; 1 and 1: it comes by the piece
    Column("case_price", Whole),  # of one case
    Column("digest", Text, nullable=False),  # of its last state, without the stock
    Column("changed_at", Time, nullable=False),
    Column("gone_at", Time),  # it is not listed there any more
    PrimaryKeyConstraint("link_id", "iri"),
    sqlite_strict=True,
    info=untraced("it follows from what the platform says"),
)


def linked_producers(tx: Transaction, enterprise_id: str) -> set[str]:
    """Returns the ids of the copies of producers whose goods an enterprise has linked."""
    producer = federation_linked_producer.c
    rows = tx.all(select(producer.producer_id).where(producer.enterprise_id == enterprise_id))
    return {row["producer_id"] for row in rows}
