"""Scopes: what a route asks for, what a role gives, what a grant between enterprises gives.

Deny by default: a scope that is not written here is held by nobody.
"""

from __future__ import annotations

# Without an enterprise:
PUBLIC = "public"  # anybody
SELF = "self"  # a person who is logged in, for their own things
OPERATOR = "operator"  # who runs the instance

READ = frozenset({"enterprise:read", "grants:read", "products:read", "catalogs:read", "sales:read"})
_PACK = READ | {"orders:read", "orders:pack"}
_ACCOUNT = READ | {"orders:read", "customers:read", "payments:read"}
_MANAGE = (
    _PACK
    | _ACCOUNT
    | {"enterprise:write", "customers:write", "products:write", "catalogs:write", "sales:write", "orders:write"}
    | {"payments:write", "plugins:write", "members:read", "audit:read"}
)

# What a member of an enterprise may do there, by role.
ROLES: dict[str, frozenset[str]] = {
    "owner": _MANAGE | {"members:write", "grants:write"},
    "manager": _MANAGE,
    "packer": _PACK,
    "accountant": _ACCOUNT,
}

# What the members of one enterprise may do at another that granted it a DFC scope (their own role allowing).
# ReadOrders and WriteOrders open no route of the grantor: they let a hub sell its goods, and a producer see its lines.
GRANTS: dict[str, frozenset[str]] = {
    "ReadEnterprise": frozenset({"enterprise:read"}),
    "WriteEnterprise": frozenset({"enterprise:read", "enterprise:write"}),
    "ReadProducts": frozenset({"products:read"}),
    "WriteProducts": frozenset({"products:read", "products:write"}),
    "ReadOrders": frozenset(),
    "WriteOrders": frozenset(),
}

ENTERPRISE_SCOPES = frozenset().union(*ROLES.values())
ALL_SCOPES = ENTERPRISE_SCOPES | {PUBLIC, SELF, OPERATOR}
