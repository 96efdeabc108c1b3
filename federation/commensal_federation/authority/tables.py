"""Tables of which home speaks for an enterprise, and of moves."""

from sqlalchemy import Column, Index, Table, Text

from commensal import Json, Time, Whole, checked_in, metadata, untraced

# Which home speaks for an enterprise, if that is not just the instance of its IRI or a recovery key can prove a move.
federation_authority = Table(
    "federation_authority",
    metadata,
    Column("iri", Text, primary_key=True),
    Column("epoch", Whole, nullable=False),  # begins at 1 and grows by one with each move
    Column("moved_to", Text, nullable=False),  # its new IRI; empty while it lives under this one
    Column("came_from", Text, nullable=False),  # its former IRI; empty if it was created under this one
    Column("recovery_key", Text, nullable=False),  # the public key as did:key; empty if there is none
    Column("changed_at", Time, nullable=False),
    sqlite_strict=True,
)

# A move of an enterprise: leaving this instance, coming to it, or one we trade with ("following").
federation_move = Table(
    "federation_move",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("peer_id", Text, nullable=False),  # leaving: the new home; coming: the old home; following: the informant
    Column("name", Text, nullable=False),
    Column("old_iri", Text, nullable=False, index=True),
    Column("new_iri", Text, nullable=False),  # empty until it is known
    Column("epoch", Whole, nullable=False),  # the authority epoch that the move begins
    Column("enterprise_id", Text),  # our enterprise, if it is one
    Column("owner_id", Text),  # coming: its future owner here
    Column("said", Json, nullable=False),  # leaving: roles and levels as frozen; else the move's body
    Column("until", Time),  # following: the end of the quarantine
    Column("error", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("created_by", Text),
    Column("changed_at", Time, nullable=False),
    Index("ix_federation_move_enterprise", "enterprise_id", "role"),
    checked_in("role", ("leaving", "coming", "following")),
    checked_in(
        "state",
        (
            "offered",
            "named",
            "accepted",
            "frozen",
            "ready",
            "moved",
            "done",
            "cancelled",
            "refused",
            "heard",
            "waiting",
            "quarantined",
            "contested",
            "followed",
        ),
    ),
    sqlite_strict=True,
)

# Parts of the export that the old home has sent; a peer's rows are imported when that peer has followed.
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
