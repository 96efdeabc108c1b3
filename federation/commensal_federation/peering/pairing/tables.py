"""The table of pairings: invitations of ours, and those of others that our operator follows."""

from sqlalchemy import Column, Table, Text, UniqueConstraint

from commensal import SECRET, Time, checked_in, metadata

STATES = ("made", "opened", "shown", "agreed", "ended")

federation_pairing = Table(
    "federation_pairing",
    metadata,
    Column("id", Text, primary_key=True),
    Column("role", Text, nullable=False),  # ours: "inviter" or "joiner"
    Column("invitation", Text, nullable=False),  # its name in messages
    Column("secret", Text, nullable=False, info=SECRET),  # the key of the MACs
    Column("note", Text, nullable=False),  # for whom it is; for our operators only
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),  # why it has ended: see values.py
    Column("iri", Text, nullable=False),  # the other instance; empty until the link is opened
    Column("document", Text, nullable=False),  # its document, as it was served when the link was opened
    Column("document_at", Time),
    Column("commitment", Text, nullable=False),  # of the joiner's nonce
    Column("our_nonce", Text, nullable=False),
    Column("their_nonce", Text, nullable=False),
    Column("their_answer", Text, nullable=False),  # "same" once the other operator has agreed
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    UniqueConstraint("invitation", "role"),
    checked_in("role", ("inviter", "joiner")),
    checked_in("state", STATES),
    sqlite_strict=True,
)
