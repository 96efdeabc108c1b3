"""Tables of peers: who they are, and which requests of theirs were seen already."""

from sqlalchemy import Column, Index, Table, Text, false

from commensal import DERIVED, Flag, Json, Time, Whole, checked_in, metadata, untraced

STATES = ("invited", "requested", "accepted", "suspended", "revoked")

federation_peer = Table(
    "federation_peer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("iri", Text, nullable=False, unique=True),  # the address of its instance document
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("document", Text, nullable=False),  # as it was pinned, byte for byte
    Column("scopes_given", Json, nullable=False),  # what it may do here
    Column("scopes_received", Json, nullable=False),  # what we may do there
    Column("limits", Json, nullable=False),  # those that differ from the usual
    Column("nonce", Text, nullable=False),  # of the request, ours or theirs, which the acceptance echoes
    Column("request", Text, nullable=False),  # their signed request, byte for byte; empty where we invited
    Column("epoch_seen", Whole, nullable=False, info=DERIVED),
    Column("created_at", Time, nullable=False),
    Column("accepted_at", Time),
    Column("suspended_at", Time),
    Column("revoked_at", Time),
    Column("last_seen_at", Time, info=DERIVED),
    Column("document_at", Time, nullable=False),  # when it was pinned
    Column("looked_at", Time, nullable=False, info=DERIVED),  # when its address was last asked for a newer one
    Column("keys_told", Text, nullable=False, info=DERIVED),  # digest of our keys as it was told of them
    Column("asked_at", Time, info=DERIVED),  # when it was last asked although it had said nothing
    Column(
        "recovering", Flag, nullable=False, info=DERIVED
    ),  # nothing goes out until it has given back what a restore lost
    # It may hold what a restore has made us forget, and has not said so yet: see leases/sales.py.
    Column("barrier", Flag, nullable=False, server_default=false(), info=DERIVED),
    # The breaker: closed only by our own successful delivery.
    Column("breaker", Text, nullable=False, info=DERIVED),
    Column("failures", Whole, nullable=False, info=DERIVED),  # in a row
    Column("failing_since", Time, info=DERIVED),
    Column("held_until", Time, info=DERIVED),  # nothing is sent before
    Column(
        "ask_after", Time, info=DERIVED
    ),  # of customers who wait, none is kept waiting before: see delivery/asking.py
    # It says that we are none of its peers at present: nothing of its goods is sold.
    Column("refusing", Flag, nullable=False, server_default=false(), info=DERIVED),
    Column("version", Whole, nullable=False),  # of what operators set
    checked_in("state", STATES),
    checked_in("breaker", ("closed", "open")),
    sqlite_strict=True,
)

federation_nonce = Table(
    "federation_nonce",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("expires_at", Time, nullable=False),
    Index("ix_federation_nonce_expires", "expires_at"),
    sqlite_strict=True,
    info=untraced("kept for minutes, so that no request counts twice"),
)
