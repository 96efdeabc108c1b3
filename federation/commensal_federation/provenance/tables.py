"""Tables of signed statements, of the documents that have their signers' keys, and of origins that are not peers."""

from datetime import timedelta

from sqlalchemy import Column, Index, Table, Text

from commensal import DERIVED, Json, Time, Whole, at_most_ahead, metadata, untraced

# What an enterprise offered to one hub, signed by its instance: ours, a peer's, or of an origin further away.
federation_statement = Table(
    "federation_statement",
    metadata,
    Column("name", Text, primary_key=True),  # multihash of the text
    Column("text", Text, nullable=False),  # byte for byte
    Column("actor", Text, nullable=False),  # the instance that signed it
    Column("key_version", Whole, nullable=False),  # of its key set, by which it was verified
    Column("origin", Text, nullable=False, index=True),  # name of the producer's; empty where that is the seller
    Column("item_iri", Text, nullable=False),  # the seller's item
    Column("rev", Whole, nullable=False),
    Column("verified_at", Time, nullable=False),
    Index("ix_federation_statement_verified", "verified_at"),
    sqlite_strict=True,
    info=untraced("it is signed, and no change of it would count"),
)

# The document of a signer, for each version of its key set the first one that was verified here.
federation_signer = Table(
    "federation_signer",
    metadata,
    Column("iri", Text, primary_key=True),
    Column("version", Whole, primary_key=True),
    Column("document", Text, nullable=False),  # byte for byte
    Column("bound", Text, nullable=False),  # how we knew it as the signer's: "own", "peer" or "fetched"
    Column("verified_at", Time, nullable=False),
    sqlite_strict=True,
    info=untraced("it is signed, and no change of it would count"),
)

# An instance that is not a peer, and whose producers' goods come through peers: its keys are fetched from its address.
federation_origin = Table(
    "federation_origin",
    metadata,
    Column("iri", Text, primary_key=True),  # the address of its instance document
    Column("peer_id", Text, nullable=False, index=True),  # who named it first
    Column("document", Text, nullable=False),  # the pinned one, byte for byte; empty before it has answered
    Column("document_at", Time),  # when it was pinned
    Column("doubt", Text, nullable=False),  # why its keys are not believed at present; empty: they are
    Column("waiting", Json, nullable=False, info=DERIVED),  # [[peer id, hub's id, grantor and hub], …], for its keys
    Column("failures", Whole, nullable=False, info=DERIVED),  # in a row
    Column("asked_at", Time, info={**DERIVED, **at_most_ahead(timedelta())}),
    Column("silent_since", Time, info=DERIVED),
    sqlite_strict=True,
)
