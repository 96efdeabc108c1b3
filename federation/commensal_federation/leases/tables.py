"""Tables of leases that their row (`grants/tables.py`) does not have."""

from sqlalchemy import Column, Table, Text

from commensal import metadata

# A lot that holds only what is lent from it: when it returns, it is stock of the main lot.
federation_joined_lot = Table(
    "federation_joined_lot",
    metadata,
    Column("lot_id", Text, primary_key=True),
    Column("main_id", Text, nullable=False, index=True),
    sqlite_strict=True,
)
