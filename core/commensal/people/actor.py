"""The sender of a request, and the scopes that routes demand, with the roles and the grants that give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..base.errors import Problem


@dataclass(frozen=True)
class Actor:
    """`token_scopes` and `token_enterprise` narrow the rights of a token; None means that the person's rights apply.

    `client` is the name of another program as a plugin authenticated it; it holds no scope of the core.
    `lacks_second_factor` is true on an instance that requires one from members; it blocks all rights at enterprises.
    `seen_at` (UTC) is when the session was last seen, as far as that is written down, `address` the network address of
    the client, for rate limits, and `browser` the secret of the visitor's cookie, as in `sessions.py`.
    """

    person_id: str | None = None
    email: str = ""
    language: str = ""
    is_operator: bool = False
    confirmed: bool = False
    session_hash: str | None = None
    seen_at: datetime | None = field(default=None, compare=False)
    token_id: str | None = None
    token_scopes: frozenset[str] | None = None
    token_enterprise: str | None = None
    client: str = ""
    lacks_second_factor: bool = False
    address: str = field(default="", compare=False)
    browser: str = field(default="", compare=False, repr=False)

    @property
    def key(self) -> str:
        """Identifies the actor in the tables for idempotency and rate limits."""
        if self.token_id:
            return f"token:{self.token_id}"
        if self.client:
            return f"client:{self.client}"
        return f"person:{self.person_id}" if self.person_id else f"address:{self.address}"


NOBODY = Actor()


# Scopes that routes demand, with the roles and the grants between enterprises that give them.
#
# Deny by default: nobody holds a scope that is not listed here.

# Without an enterprise:
PUBLIC = "public"  # anybody
SELF = "self"  # a person who is logged in, for their own things
OPERATOR = "operator"  # operators of the instance

READ = frozenset({"enterprise:read", "grants:read", "products:read", "catalogs:read", "sales:read"})
_PACK = READ | {"orders:read", "orders:pack", "demand:read"}
_ACCOUNT = READ | {"orders:read", "demand:read", "customers:read", "payments:read"}
_MANAGE = (
    _PACK
    | _ACCOUNT
    | {"enterprise:write", "customers:write", "products:write", "catalogs:write", "sales:write", "orders:write"}
    | {"payments:take", "payments:write", "plugins:write", "members:read", "audit:read"}
)

# What a member of an enterprise may do there, by role.
ROLES: dict[str, frozenset[str]] = {
    "owner": _MANAGE | {"members:write", "grants:write"},
    "manager": _MANAGE,
    "packer": _PACK,
    "accountant": _ACCOUNT,
}

# The scopes of the core that a role of a plugin, or one that an enterprise makes itself, may have; all others are the
# owners' alone.
GIVEN_BY_ROLES = _MANAGE

# Who changes something reads it on the same page, so a role that an enterprise makes has both.
READ_WITH: dict[str, str] = {
    "orders:pack": "orders:read",
    "orders:write": "orders:read",
    "payments:take": "orders:read",
    "customers:write": "customers:read",
    "payments:write": "payments:read",
}

# What "may take money" of a member adds to their role: packers cash in at the hand-out and see what is due there;
# accountants record payments, hand statements in and close the books. Other roles do both already.
TAKING_MONEY: dict[str, frozenset[str]] = {
    "packer": frozenset({"payments:take"}),
    "accountant": frozenset({"payments:take", "payments:write"}),
}

# The scopes of members of one enterprise at another that granted it a DFC scope, as far as their own role has them too.
# ReadOrders and WriteOrders open no route of the grantor: WriteOrders lets a hub sell its goods, and ReadOrders shows a
# producer what the grantor's customers have ordered of it so far, in sums (see `supply.demand`).
GRANTS: dict[str, frozenset[str]] = {
    "ReadEnterprise": frozenset({"enterprise:read"}),
    "WriteEnterprise": frozenset({"enterprise:read", "enterprise:write"}),
    "ReadProducts": frozenset({"products:read"}),
    "WriteProducts": frozenset({"products:read", "products:write"}),
    "ReadOrders": frozenset(),
    "WriteOrders": frozenset(),
}

# Members with one of these see what orders and goods cost: they deal with the money. All others see the goods.
SEEING_AMOUNTS = frozenset({"payments:read", "payments:take"})

ENTERPRISE_SCOPES = frozenset().union(*ROLES.values())
ALL_SCOPES = ENTERPRISE_SCOPES | {PUBLIC, SELF, OPERATOR}


# What each scope of the core allows, in words, for people who give it to others or lack it.

# By scope, for `say`. Those of `READ` have none: whoever works at an enterprise holds them.
SCOPE_WORDS = {
    words.code: words
    for words in (
        Problem("orders:read", "See orders, lists and reports"),
        Problem("orders:pack", "Pack and hand out"),
        Problem("orders:write", "Take, change and cancel orders"),
        Problem("products:write", "Change products and stock"),
        Problem("catalogs:write", "Choose what is sold, and at which price"),
        Problem("sales:write", "Open, change and close sales, and set their rules"),
        Problem("demand:read", "See what is to be brought, in sums"),
        Problem("customers:read", "See customers and how to reach them"),
        Problem("customers:write", "Change customers and their groups"),
        Problem("payments:read", "See amounts, payments and accounts"),
        Problem("payments:take", "Take money at the hand-out, and see what is due there"),
        Problem("payments:write", "Record payments and close the books"),
        Problem("enterprise:write", "Change the profile, the pictures and the legal texts"),
        Problem("plugins:write", "Switch extensions on and off, and set them up"),
        Problem("members:read", "See who works here"),
        Problem("audit:read", "See who changed what"),
        Problem("members:write", "Change who works here, and in which role"),
        Problem("grants:write", "Agree with producers and hubs on what they sell for each other"),
    )
}
