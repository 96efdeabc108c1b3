"""Tables of moves: which home speaks for an enterprise, and moves under way."""

from sqlalchemy import Column, Index, Table, Text

from commensal import Json, Time, Whole, checked_in, metadata, untraced

# Who speaks for an enterprise, where that is not simply the instance of its address, or may be proven by a key.
federation_authority = Table(
    "federation_authority",
    metadata,
    Column("iri", Text, primary_key=True),
    Column("epoch", Whole, nullable=False),  # raised by one with each move; 1 at first
    Column("moved_to", Text, nullable=False),  # its new address; empty where it lives under this one
    Column("came_from", Text, nullable=False),  # its address before; empty where it was made under this one
    Column("recovery_key", Text, nullable=False),  # did:key, the public half; empty where there is none
    Column("changed_at", Time, nullable=False),
    sqlite_strict=True,
)

# A move: of an enterprise that leaves here, that comes here, or that we trade with.
federation_move = Table(
    "federation_move",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("peer_id", Text, nullable=False),  # leaving: the new home; coming: the old; following: who told us
    Column("name", Text, nullable=False),
    Column("old_iri", Text, nullable=False, index=True),
    Column("new_iri", Text, nullable=False),  # empty until it is known
    Column("epoch", Whole, nullable=False),  # that begins with it
    Column("enterprise_id", Text),  # ours, where it is one
    Column("owner_id", Text),  # coming: who will own it here
    Column("said", Json, nullable=False),  # leaving: roles and levels as they were frozen; else what the move says
    Column("until", Time),  # following: the end of the quarantine
    Column("error", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("created_by", Text),
    Column("changed_at", Time, nullable=False),
    Index("ix_federation_move_enterprise", "enterprise_id", "role"),
    checked_in("role", ("leaving", "coming", "following")),
    checked_in(
        "state",
        ("offered", "named", "accepted", "frozen", "ready", "moved", "done", "cancelled", "refused",
         "heard", "waiting", "quarantined", "contested", "followed"),
    ),
    sqlite_strict=True,
)  # fmt: skip

# What the old home has sent. It is kept: each peer's part is taken when that peer has followed.
federation_move_part = Table(
    "federation_move_part",
    metadata,
    Column("move_id", Text, primary_key=True),
    Column("part", Whole, primary_key=True),
    Column("parts", Whole, nullable=False),
    Column("rows", Json, nullable=False),
    sqlite_strict=True,
    info=untraced("it is of a signed message, which is kept"),
)
