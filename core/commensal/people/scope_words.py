"""What each scope of the core allows, in words, for people who give it to others or lack it."""

from __future__ import annotations

from ..base.errors import Problem

# By scope, for `say`. Those of `scopes.READ` have none: whoever works at an enterprise holds them.
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
