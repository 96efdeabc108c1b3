"""Scopes that plugins add to those of the core, with the roles that hold them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}:[a-z_]{1,40}")  # the plugin's id, and what may be done


@dataclass(frozen=True, kw_only=True)
class OwnScope:
    """A scope of a plugin's own.

    name:  the plugin's id and a word: "transport:drive"
    label: what it allows, for `translate`: "Drive, and note what was handed over"
    roles: the roles of members that hold it by themselves: of "manager", "packer" and "accountant"; owners always do.
           An owner may give it to any other member
    """

    name: str
    label: str
    roles: Collection[str] = ()


@dataclass(frozen=True)
class OwnScopes:
    """What enabled plugins declare, by name. A scope that is not here is held by nobody, whoever was given it."""

    by_name: Mapping[str, OwnScope] = field(default_factory=dict)

    def held(self, role: str, added: Collection[str]) -> frozenset[str]:
        """The scopes that a member holds by their role, and by those that an owner has added."""
        return frozenset(
            name for name, scope in self.by_name.items() if role == "owner" or role in scope.roles or name in added
        )


NO_OWN_SCOPES = OwnScopes()
