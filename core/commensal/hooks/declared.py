"""What plugins declare: fields of products, orders and customers, scopes, and roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..base.errors import PluginError
from ..base.fields import Field
from ..base.own_scopes import NAME, OwnRole, OwnScope, OwnScopes
from ..base.plugin_fields import DeclaredFields, PluginFields
from . import specifications
from .dispatcher import Hooks

if TYPE_CHECKING:
    from ..instance import Instance
    from .values import Dialect


def declared_fields(hooks: Hooks) -> DeclaredFields:
    """Asks all enabled plugins for their fields, in the operator's order."""
    products = hooks.each(specifications.product_fields)
    orders = hooks.each(specifications.order_fields)
    customers = hooks.each(specifications.customer_fields)
    return DeclaredFields(
        products=_by_plugin((answer.plugin, answer.value) for answer in products),
        orders=_by_plugin((answer.plugin, answer.value) for answer in orders),
        customers=_by_plugin((answer.plugin, answer.value) for answer in customers),
    )


def _by_plugin(answers: Iterable[tuple[str, Sequence[Field] | None]]) -> PluginFields:
    return PluginFields({plugin: {entry.name: entry for entry in entries} for plugin, entries in answers if entries})


_ROLES = ("manager", "packer", "accountant")  # owners hold all scopes


def declared_scopes(hooks: Hooks) -> OwnScopes:
    """Asks all enabled plugins for their scopes and roles. Raises `PluginError` for a name that is not the plugin's."""
    by_name: dict[str, OwnScope] = {}
    for answer in hooks.each(specifications.scopes):
        for scope in answer.value or ():
            _refuse_unusable(answer.plugin, scope)
            by_name[scope.name] = scope
    roles: dict[str, OwnRole] = {}
    for declared in hooks.each(specifications.roles):
        for role in declared.value or ():
            _refuse_unusable_role(declared.plugin, role)
            roles[role.name] = role
    return OwnScopes(by_name, roles)


def _refuse_unusable(plugin: str, scope: OwnScope) -> None:
    if not _is_own(plugin, scope.name):
        text = f"{scope.name!r} is not a name of a scope; write it like '{plugin}:drive', in small letters and _"
        raise PluginError(plugin, specifications.scopes.name, text)
    if unknown := sorted(set(scope.roles) - set(_ROLES)):
        text = f"{scope.name}: {', '.join(unknown)} are not roles; there are {', '.join(_ROLES)}"
        raise PluginError(plugin, specifications.scopes.name, text)


def _refuse_unusable_role(plugin: str, role: OwnRole) -> None:
    if not _is_own(plugin, role.name):
        text = f"{role.name!r} is not a name of a role; write it like '{plugin}:driver', in small letters and _"
        raise PluginError(plugin, specifications.roles.name, text)


def _is_own(plugin: str, name: str) -> bool:
    return NAME.fullmatch(name) is not None and name.partition(":")[0] == plugin


# The dialects of DFC that plugins offer for other platforms.


def dialects_of(instance: Instance) -> list[Dialect]:
    """All dialects, in the operator's order of plugins; of two for one media type, the first."""
    by_media_type: dict[str, Dialect] = {}
    for answer in instance.hooks.each(specifications.dialects):
        for dialect in answer.value or ():
            by_media_type.setdefault(dialect.media_type, dialect)
    return list(by_media_type.values())


# What instances exchange, by all plugins together: types of message, and documents.


def message_types_of(instance: Instance) -> list[tuple[str, Mapping[Any, Any]]]:
    """The plugins that bring types of message, in the operator's order, each with its types and their handlers."""
    answers = instance.hooks.each(specifications.message_types)
    return [(answer.plugin, answer.value) for answer in answers if answer.value is not None]


def peer_documents_of(instance: Instance) -> list[tuple[str, Mapping[str, Any]]]:
    """The plugins that give documents to peers, in the operator's order, each with its documents by their names."""
    answers = instance.hooks.each(specifications.peer_documents)
    return [(answer.plugin, answer.value) for answer in answers if answer.value is not None]
