"""The scopes that plugins declare."""

from __future__ import annotations

from ..base.errors import PluginError
from ..base.own_scopes import NAME, OwnScope, OwnScopes
from . import specifications
from .dispatcher import Hooks

_ROLES = ("manager", "packer", "accountant")  # owners hold all scopes


def declared_scopes(hooks: Hooks) -> OwnScopes:
    """Asks all enabled plugins for their scopes. Raises `PluginError` for a name that is not the plugin's."""
    by_name: dict[str, OwnScope] = {}
    for answer in hooks.each(specifications.scopes):
        for scope in answer.value or ():
            _refuse_unusable(answer.plugin, scope)
            by_name[scope.name] = scope
    return OwnScopes(by_name)


def _refuse_unusable(plugin: str, scope: OwnScope) -> None:
    if not NAME.fullmatch(scope.name) or scope.name.partition(":")[0] != plugin:
        text = f"{scope.name!r} is no name of a scope; one is like '{plugin}:drive', in small letters and underscores"
        raise PluginError(plugin, specifications.scopes.name, text)
    if unknown := sorted(set(scope.roles) - set(_ROLES)):
        text = f"{scope.name}: {', '.join(unknown)} are no roles; there are {', '.join(_ROLES)}"
        raise PluginError(plugin, specifications.scopes.name, text)
