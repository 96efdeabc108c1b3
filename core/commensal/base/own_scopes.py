"""Scopes and roles that plugins add to those of the core."""

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


@dataclass(frozen=True, kw_only=True)
class OwnRole:
    """A role of a plugin's own, which an owner gives to a member instead of one of the core.

    name:   the plugin's id and a word: "transport:driver"
    label:  what it is called, for `translate`: "Driver"
    about:  what it sees and may do, for `translate`, in one sentence
    scopes: what it holds, of the core and of this plugin; nothing else, beside what all members read. The scopes that
            only owners hold cannot be among them
    """

    name: str
    label: str
    about: str
    scopes: Collection[str]


@dataclass(frozen=True)
class OwnScopes:
    """What enabled plugins declare, by name. A scope or role that is not here gives nothing, whoever was given it."""

    by_name: Mapping[str, OwnScope] = field(default_factory=dict)
    roles: Mapping[str, OwnRole] = field(default_factory=dict)

    def held(self, role: str, added: Collection[str]) -> frozenset[str]:
        """The scopes of plugins that a member holds by their role, and by those that an owner has added."""
        by_role = self.roles[role].scopes if role in self.roles else ()
        return frozenset(
            name
            for name, scope in self.by_name.items()
            if role == "owner" or role in scope.roles or name in by_role or name in added
        )


NO_OWN_SCOPES = OwnScopes()
