"""Tables of peers, and of the nonces of their requests."""

from datetime import timedelta

from sqlalchemy import Column, Index, Table, Text, false

from commensal import DERIVED, Flag, Json, Time, Whole, at_most_ahead, checked_in, metadata, untraced

STATES = ("invited", "requested", "accepted", "suspended", "revoked")
_PAST = {**DERIVED, **at_most_ahead(timedelta())}
_SOON = {**DERIVED, **at_most_ahead(timedelta(hours=2))}

federation_peer = Table(
    "federation_peer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("iri", Text, nullable=False, unique=True),  # the address of its instance document
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("document", Text, nullable=False),  # the pinned one, byte for byte
    Column("scopes_given", Json, nullable=False),  # what it may do here
    Column("scopes_received", Json, nullable=False),  # what we may do there
    Column("limits", Json, nullable=False),  # those that differ from the defaults
    Column("nonce", Text, nullable=False),  # of the request, ours or theirs; the acceptance repeats it
    Column("request", Text, nullable=False),  # their signed request, byte for byte; empty if we invited
    Column("requested_at", Time),  # when the request that waits for an answer was made, ours or theirs
    Column("network", Text, nullable=False, server_default="", info=DERIVED),  # from which their request came
    Column("epoch_seen", Whole, nullable=False, info=DERIVED),
    Column("created_at", Time, nullable=False),
    Column("accepted_at", Time),
    Column("suspended_at", Time),
    Column("revoked_at", Time),
    Column("last_seen_at", Time, info=DERIVED),
    Column("document_at", Time, nullable=False),  # when it was pinned
    Column("looked_at", Time, nullable=False, info=_PAST),  # when a newer one was last requested from its address
    Column("keys_told", Text, nullable=False, info=DERIVED),  # digest of our keys that it was last sent
    Column("asked_at", Time, info=_PAST),  # when it was last polled in spite of its silence
    Column("recovering", Flag, nullable=False, info=DERIVED),  # no sending until it has sent back what a restore lost
    # It may hold units that a restore made us forget, and has not reported them yet: see grants/sale_ends.py.
    Column("barrier", Flag, nullable=False, server_default=false(), info=DERIVED),
    # The breaker: closed only by our own successful delivery.
    Column("breaker", Text, nullable=False, info=DERIVED),
    Column("failures", Whole, nullable=False, info=DERIVED),  # in a row
    Column("failing_since", Time, info=DERIVED),
    Column("held_until", Time, info=_SOON),  # open: nothing is sent before; closed: when a delivery failed last
    Column("ask_after", Time, info=_SOON),  # no customer waits for an answer of it before: see delivery/calling.py
    # It answers that we are not its peer at present: none of its goods is sold.
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
