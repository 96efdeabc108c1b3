"""Tables of enterprises: members, customers and their categories, grants, counters, and the plugins they use."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from ..storage.database import (
    DERIVED,
    ON_BEHALF,
    PERSONAL,
    Exact,
    Flag,
    Json,
    Time,
    Whole,
    checked_in,
    metadata,
    only_where,
    untraced,
)
from ..storage.database.marks import PLUGIN_SETTINGS

enterprise = Table(
    "enterprise",
    metadata,
    Column("id", Text, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),  # in addresses of pages
    Column("name", Text, nullable=False),
    Column("search", Text, nullable=False, server_default=""),  # name and place, as they are searched
    Column("description", Text, nullable=False),  # clean HTML
    Column("descriptions", Json, nullable=False, server_default="{}"),  # the same in further languages
    Column("is_producer", Flag, nullable=False),
    Column("is_hub", Flag, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("email", Text, nullable=False, info=PERSONAL),
    Column("phone", Text, nullable=False, info=PERSONAL),
    Column("contact_name", Text, nullable=False, server_default="", info=PERSONAL),  # whom to ask for
    Column("website", Text, nullable=False, server_default=""),
    Column("social_media", Text, nullable=False, server_default=""),  # addresses of pages, one a line
    Column("street", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("country", Text, nullable=False),  # ISO 3166-1 alpha-2
    Column("latitude", Exact),  # WGS 84, degrees
    Column("longitude", Exact),
    Column("language", Text, nullable=False),
    Column("timezone", Text, nullable=False),  # IANA; rhythms and distribution days are meant in it
    Column("currency", Text, nullable=False),  # ISO 4217
    Column("vat_number", Text, nullable=False),
    Column("prices_include_vat", Flag, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("archived_at", Time),
    # The hub that made it and whose members run it, each by their role there; none: it has members of its own.
    Column("kept_by", Text),
    Column("version", Whole, nullable=False),
    checked_in("visibility", ("public", "link", "hidden")),
    sqlite_strict=True,
)

enterprise_member = Table(
    "enterprise_member",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True, index=True),
    # One of the core, "plugin:word", or the id of one that the enterprise has made
    Column("role", Text, nullable=False),
    Column("takes_money", Flag, nullable=False, server_default="0"),  # see `TAKING_MONEY` of the scopes
    Column("scopes", Json, nullable=False, server_default="[]"),  # scopes of plugins that were given beyond the role's
    Column("since", Time, nullable=False),
    sqlite_strict=True,
)

# Roles that an enterprise has made itself, beside those of the core and of plugins.
enterprise_role = Table(
    "enterprise_role",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Json, nullable=False),  # what it gives beside `READ` of the scopes
    Column("version", Whole, nullable=False),
    UniqueConstraint("enterprise_id", "name"),
    sqlite_strict=True,
)

# Addresses that an enterprise invited to become members.
member_invitation = Table(
    "member_invitation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("email", Text, nullable=False, index=True, info=PERSONAL),  # lower case
    Column("role", Text, nullable=False),
    Column("invited_by", Text, nullable=False, server_default=""),  # the name of another enterprise that sent it
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
    Column("invited_by_person", Text),  # their id; NULL: it was made before this was noted
    UniqueConstraint("enterprise_id", "email"),
    sqlite_strict=True,
)

customer_category = Table(
    "customer_category",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Whole, nullable=False),
    UniqueConstraint("enterprise_id", "name"),
    sqlite_strict=True,
)

customer = Table(
    "customer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    # None: buys without an account. Derived, so that no trail tells a shop whose address has an account.
    Column("person_id", Text, ForeignKey("person.id"), info=DERIVED),
    Column("email", Text, nullable=False, index=True, info=PERSONAL),  # lower case
    Column("name", Text, nullable=False, info=PERSONAL),
    Column(
        "search", Text, nullable=False, server_default="", info=PERSONAL
    ),  # name, address and code, as they are searched
    Column("phone", Text, nullable=False, info=PERSONAL),
    Column("code", Text, info=PERSONAL),  # the enterprise's own reference
    Column("note", Text, nullable=False, info=PERSONAL),
    Column("plugin_fields", Json, nullable=False, server_default="{}", info=PERSONAL),  # by plugin and name
    Column("created_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    UniqueConstraint("enterprise_id", "email"),
    UniqueConstraint("enterprise_id", "code"),
    Index("ix_customer_person_id", "person_id", **only_where("person_id IS NOT NULL")),
    sqlite_strict=True,
    info=ON_BEHALF,
)

customer_in_category = Table(
    "customer_in_category",
    metadata,
    Column("customer_id", Text, ForeignKey("customer.id"), primary_key=True),
    Column("category_id", Text, ForeignKey("customer_category.id"), primary_key=True, index=True),
    sqlite_strict=True,
)

# The household of a customer: people who share it with the person of `customer.person_id`, see `households`.
customer_person = Table(
    "customer_person",
    metadata,
    Column("customer_id", Text, ForeignKey("customer.id"), primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # that of the customer
    Column("since", Time, nullable=False),
    UniqueConstraint("person_id", "enterprise_id"),
    sqlite_strict=True,
)

# Addresses that were invited to share a customer.
household_invitation = Table(
    "household_invitation",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False),
    Column("email", Text, nullable=False, index=True, info=PERSONAL),  # lower case
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
    UniqueConstraint("customer_id", "email"),
    sqlite_strict=True,
)

# What one enterprise allows another to do with its data. Scopes are those of DFC.
enterprise_grant = Table(
    "enterprise_grant",
    metadata,
    Column("grantor_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("grantee_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("granted_at", Time, nullable=False),
    Column("granted_by", Text, ForeignKey("person.id")),
    checked_in(
        "scope", ("ReadEnterprise", "WriteEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders")
    ),
    Index("ix_enterprise_grant_grantee", "grantee_id", "scope"),
    sqlite_strict=True,
)

# Rules for orders by people without a proven identity; without a row: the defaults of `guest_policy.GuestPolicy`.
guest_policy = Table(
    "guest_policy",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("guests", Text, nullable=False),
    Column("largest_unpaid", Whole),  # minor units; none: any
    Column("orders_of_mailbox", Whole, nullable=False),
    Column("orders_of_network", Whole, nullable=False),
    Column("confirm_minutes", Whole, nullable=False),
    Column("unpaid_hours", Whole, nullable=False),
    checked_in("guests", ("no", "link", "yes")),
    sqlite_strict=True,
)

# Every version of every legal text: orders refer to the terms of sale that their customers accepted.
legal_text = Table(
    "legal_text",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id")),  # none: of the instance
    Column("kind", Text, nullable=False),
    Column("version", Whole, nullable=False),  # 1, 2, 3 … of this kind
    Column("texts", Json, nullable=False),  # clean HTML by language; empty: withdrawn
    Column("published_at", Time, nullable=False),
    checked_in("kind", ("notice", "terms", "privacy", "accessibility")),
    Index("uq_legal_text_enterprise", "enterprise_id", "kind", "version", unique=True),
    Index("uq_legal_text_instance", "kind", "version", unique=True, **only_where("enterprise_id IS NULL")),
    sqlite_strict=True,
)

# Numbers without gaps: the transaction that uses a number increments the row.
enterprise_counter = Table(
    "enterprise_counter",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("series", Text, primary_key=True),  # "order", "journal"
    Column("value", Whole, nullable=False),
    sqlite_strict=True,
    info=untraced("what was numbered tells its number"),
)

enterprise_plugin = Table(
    "enterprise_plugin",
    metadata,
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), primary_key=True),
    Column("plugin", Text, primary_key=True),
    Column("settings", Json, nullable=False),
    Column("version", Whole, nullable=False),
    sqlite_strict=True,
    info=PLUGIN_SETTINGS,
)
