"""The table of presets."""

from sqlalchemy import Column, ForeignKey, Table, Text, UniqueConstraint

from commensal import Flag, Json, Time, Whole, metadata

custom_report_preset = Table(
    "custom_report_preset",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("columns", Json, nullable=False),  # names of fields of the segment
    Column("filters", Json, nullable=False),  # {"field", "operator", "value"}
    Column("ordered_by", Json, nullable=False),  # names of columns, a minus before one turns it around
    Column("grouped_by", Json, nullable=False),  # names of columns
    Column("put_together", Flag, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    UniqueConstraint("enterprise_id", "name"),
    sqlite_strict=True,
)
