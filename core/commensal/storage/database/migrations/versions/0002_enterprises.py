"""First tables of enterprises."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Exact, Flag, Json, Time, Whole

revision = "0002_enterprises"
down_revision = "0001_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enterprise",
        Column("id", Text(), nullable=False),
        Column("slug", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("search", Text(), server_default="", nullable=False),
        Column("description", Text(), nullable=False),
        Column("is_producer", Flag(), nullable=False),
        Column("is_hub", Flag(), nullable=False),
        Column("visibility", Text(), nullable=False),
        Column("email", Text(), nullable=False),
        Column("phone", Text(), nullable=False),
        Column("street", Text(), nullable=False),
        Column("postcode", Text(), nullable=False),
        Column("city", Text(), nullable=False),
        Column("country", Text(), nullable=False),
        Column("latitude", Exact(), nullable=True),
        Column("longitude", Exact(), nullable=True),
        Column("language", Text(), nullable=False),
        Column("timezone", Text(), nullable=False),
        Column("currency", Text(), nullable=False),
        Column("vat_number", Text(), nullable=False),
        Column("prices_include_vat", Flag(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("archived_at", Time(), nullable=True),
        Column("version", Whole, nullable=False),
        CheckConstraint("visibility IN ('public', 'link', 'hidden')", name=op.f("ck_enterprise_visibility_known")),
        PrimaryKeyConstraint("id", name=op.f("pk_enterprise")),
        UniqueConstraint("slug", name=op.f("uq_enterprise_slug")),
        sqlite_strict=True,
    )
    op.create_table(
        "api_token",
        Column("id", Text(), nullable=False),
        Column("hash", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=True),
        Column("name", Text(), nullable=False),
        Column("scopes", Json(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("expires_at", Time(), nullable=True),
        Column("revoked_at", Time(), nullable=True),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_api_token_enterprise_id")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_token_person_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        UniqueConstraint("hash", name=op.f("uq_api_token_hash")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_api_token_person_id"), "api_token", ["person_id"], unique=False)
    op.create_table(
        "customer",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("person_id", Text(), nullable=True),
        Column("email", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("search", Text(), server_default="", nullable=False),
        Column("phone", Text(), nullable=False),
        Column("code", Text(), nullable=True),
        Column("note", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_customer_enterprise_id")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_customer_person_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        UniqueConstraint("enterprise_id", "code", name=op.f("uq_customer_enterprise_id_code")),
        UniqueConstraint("enterprise_id", "email", name=op.f("uq_customer_enterprise_id_email")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_customer_email"), "customer", ["email"], unique=False)
    op.create_index(op.f("ix_customer_person_id"), "customer", ["person_id"], unique=False)
    op.create_table(
        "customer_category",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("version", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_customer_category_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_customer_category")),
        UniqueConstraint("enterprise_id", "name", name=op.f("uq_customer_category_enterprise_id_name")),
        sqlite_strict=True,
    )
    op.create_table(
        "enterprise_counter",
        Column("enterprise_id", Text(), nullable=False),
        Column("series", Text(), nullable=False),
        Column("value", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_counter_enterprise_id")),
        PrimaryKeyConstraint("enterprise_id", "series", name=op.f("pk_enterprise_counter")),
        sqlite_strict=True,
    )
    op.create_table(
        "enterprise_grant",
        Column("grantor_id", Text(), nullable=False),
        Column("grantee_id", Text(), nullable=False),
        Column("scope", Text(), nullable=False),
        Column("granted_at", Time(), nullable=False),
        Column("granted_by", Text(), nullable=True),
        CheckConstraint(
            "scope IN ('ReadEnterprise', 'WriteEnterprise', 'ReadProducts', 'WriteProducts', 'ReadOrders', 'WriteOrders')",
            name=op.f("ck_enterprise_grant_scope_known"),
        ),
        ForeignKeyConstraint(["granted_by"], ["person.id"], name=op.f("fk_enterprise_grant_granted_by")),
        ForeignKeyConstraint(["grantee_id"], ["enterprise.id"], name=op.f("fk_enterprise_grant_grantee_id")),
        ForeignKeyConstraint(["grantor_id"], ["enterprise.id"], name=op.f("fk_enterprise_grant_grantor_id")),
        PrimaryKeyConstraint("grantor_id", "grantee_id", "scope", name=op.f("pk_enterprise_grant")),
        sqlite_strict=True,
    )
    op.create_index("ix_enterprise_grant_grantee", "enterprise_grant", ["grantee_id", "scope"], unique=False)
    op.create_table(
        "enterprise_member",
        Column("enterprise_id", Text(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("since", Time(), nullable=False),
        CheckConstraint(
            "role IN ('owner', 'manager', 'packer', 'accountant')", name=op.f("ck_enterprise_member_role_known")
        ),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_member_enterprise_id")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_enterprise_member_person_id")),
        PrimaryKeyConstraint("enterprise_id", "person_id", name=op.f("pk_enterprise_member")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_enterprise_member_person_id"), "enterprise_member", ["person_id"], unique=False)
    op.create_table(
        "enterprise_plugin",
        Column("enterprise_id", Text(), nullable=False),
        Column("plugin", Text(), nullable=False),
        Column("settings", Json(), nullable=False),
        Column("version", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_plugin_enterprise_id")),
        PrimaryKeyConstraint("enterprise_id", "plugin", name=op.f("pk_enterprise_plugin")),
        sqlite_strict=True,
    )
    op.create_table(
        "customer_in_category",
        Column("customer_id", Text(), nullable=False),
        Column("category_id", Text(), nullable=False),
        ForeignKeyConstraint(
            ["category_id"], ["customer_category.id"], name=op.f("fk_customer_in_category_category_id")
        ),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_customer_in_category_customer_id")),
        PrimaryKeyConstraint("customer_id", "category_id", name=op.f("pk_customer_in_category")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_customer_in_category_category_id"), "customer_in_category", ["category_id"], unique=False)
