"""Tables of delivery: outbox and inbox, lanes, and alerts."""

from datetime import timedelta

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from commensal import Flag, Time, Whole, at_most_ahead, checked_in, metadata, untraced

LANE_NAMES = ("peering", "catalogue", "order")
_UNTRACED = untraced("messages are kept as they were signed, and what they do is traced where they do it")

# One row for each (peer, lane, direction). Posting takes its number under this row's lock.
federation_lane = Table(
    "federation_lane",
    metadata,
    Column("peer_id", Text, ForeignKey("federation_peer.id"), primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("direction", Text, primary_key=True),
    Column("epoch", Whole, nullable=False),
    Column("seq", Whole, nullable=False),  # out: the last that was posted; in: all up to it have come
    Column("top", Whole, nullable=False),  # in: the highest that has come; above `seq` there is a gap
    Column("hash", Text, nullable=False),  # multihash of the message `seq`; empty before the first
    Column("swept", Whole, nullable=False),  # in: rows up to it are not kept any more, and are known all the same
    Column("parked", Whole, nullable=False),  # in: messages that wait for others
    Column("size", Whole, nullable=False, server_default="0"),  # in: bytes of the messages that are kept
    Column("promised", Flag, nullable=False),  # a job is to push (out) or pull (in), so another need not be enqueued
    Column("worked_until", Time, info=at_most_ahead(timedelta(hours=1))),  # a job is at it …
    Column("worked_by", Text, nullable=False, server_default=""),  # … of this id
    Column("failures", Whole, nullable=False),  # of pushing or pulling, in a row
    Column("due_at", Time, info=at_most_ahead(timedelta(hours=2))),  # not before
    checked_in("lane", LANE_NAMES),
    checked_in("direction", ("out", "in")),
    sqlite_strict=True,
    info=_UNTRACED,
)

federation_outbox = Table(
    "federation_outbox",
    metadata,
    Column("id", Text, primary_key=True),  # the IRI of the message
    Column("peer_id", Text, ForeignKey("federation_peer.id"), nullable=False),
    Column("lane", Text, nullable=False),
    Column("epoch", Whole, nullable=False),
    Column("seq", Whole, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),  # the envelope as it was signed, byte for byte
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time),
    Column("in_reply_to", Text),
    Column("state", Text, nullable=False),
    Column("attempts", Whole, nullable=False),
    Column("error", Text, nullable=False),  # of the last attempt
    Column("finished_at", Time),
    Column("recovered", Flag, nullable=False),  # given back by the peer after a restore
    UniqueConstraint("peer_id", "lane", "epoch", "seq"),
    checked_in("state", ("waiting", "delivered", "dead", "discarded")),
    Index("ix_federation_outbox_state", "peer_id", "lane", "state", "epoch", "seq"),
    Index("ix_federation_outbox_reply", "in_reply_to"),
    sqlite_strict=True,
    info=_UNTRACED,
)

federation_inbox = Table(
    "federation_inbox",
    metadata,
    Column("id", Text, primary_key=True),  # the IRI of the message, which has its sender's origin
    Column("peer_id", Text, ForeignKey("federation_peer.id"), nullable=False),
    Column("lane", Text, nullable=False),
    Column("epoch", Whole, nullable=False),
    Column("seq", Whole, nullable=False),
    Column("type", Text, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the body, in hexadecimal
    Column("body", Text, nullable=False),  # as it came, byte for byte
    Column("key_id", Text, nullable=False),
    Column("multikey", Text, nullable=False),  # the key itself, as it was pinned then
    Column("received_at", Time, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Whole, nullable=False),
    Column("error", Text, nullable=False),
    UniqueConstraint("peer_id", "lane", "epoch", "seq"),
    checked_in("state", ("done", "parked", "dead", "discarded")),
    Index("ix_federation_inbox_state", "state", "peer_id", "received_at"),
    sqlite_strict=True,
    info=_UNTRACED,
)

# What a human should look at. One row for each kind and peer, so that a peer cannot fill the table.
federation_alert = Table(
    "federation_alert",
    metadata,
    Column("peer_id", Text, ForeignKey("federation_peer.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("count", Whole, nullable=False),
    Column("first_at", Time, nullable=False),
    Column("last_at", Time, nullable=False),
    sqlite_strict=True,
    info=_UNTRACED,
)

# Numbers of messages begin anew with each epoch: one when the instance first speaks, and one after each restore.
federation_epoch = Table(
    "federation_epoch",
    metadata,
    Column("epoch", Whole, primary_key=True),  # the Unix second at which it began
    Column("began_at", Time, nullable=False),
    Column("reason", Text, nullable=False, unique=True),
    sqlite_strict=True,
    info=_UNTRACED,
)
