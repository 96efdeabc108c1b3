"""Tables of identity: our public keys, and the key sets that the root key has signed."""

from sqlalchemy import CheckConstraint, Column, Table, Text

from commensal import Time, Whole, append_only, checked_in, metadata

REASONS = ("stolen", "lost", "replaced")

# The private keys are files in the instance's folder, never in the database.
federation_key = Table(
    "federation_key",
    metadata,
    Column("name", Text, primary_key=True),  # the fragment of its IRI: root, k1, k2 …
    Column("kind", Text, nullable=False),
    Column("multikey", Text, nullable=False, unique=True),  # the public key, z6Mk…
    Column("created_at", Time, nullable=False),
    Column("used_from", Time),  # empty: standby, published and not yet used
    Column("ends_at", Time),  # peers accept its signatures until then
    Column("revoked_at", Time),
    Column("reason", Text, nullable=False),  # of the revocation
    checked_in("kind", ("root", "signing")),
    CheckConstraint(
        f"(revoked_at IS NULL AND reason = '') OR (revoked_at IS NOT NULL AND reason IN {REASONS})",
        name="revoked_for_a_reason",
    ),
    sqlite_strict=True,
)

federation_key_set = append_only(
    Table(
        "federation_key_set",
        metadata,
        Column("version", Whole, primary_key=True),
        Column("document", Text, nullable=False),  # as the root key signed it, byte for byte
        Column("created_at", Time, nullable=False),
        sqlite_strict=True,
    )
)
