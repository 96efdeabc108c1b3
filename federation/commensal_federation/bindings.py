"""Which types of message an instance speaks, and which documents it gives, as its plugins say by two hooks.

The federation brings its own types by the same hook (`handlers.py`). Another plugin's must keep to the rules of
`_refuse_unfit`, so that no plugin can speak for another, or change how instances become peers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass

from commensal import Instance, PluginError, message_types_of, peer_documents_of

from .messages.types import LARGEST, SCOPES, Handler, MessageType, PeerDocument

FEDERATION = "federation"  # this plugin's id
_NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,59}")
_SCOPE = re.compile(r"[a-z][a-z_]{0,59}")


@dataclass(frozen=True)
class Binding:
    """A type of message, what it does here, and the plugin that brought it."""

    type: MessageType
    handler: Handler
    plugin: str


def bindings_of(instance: Instance) -> dict[str, Binding]:
    """All types that the instance speaks, by their names. Raises `PluginError` for one that breaks the rules."""
    return {binding.type.name: binding for binding in _bindings(instance)}


@dataclass(frozen=True)
class DocumentBinding:
    """A document, its name, and the plugin that gives it."""

    name: str
    document: PeerDocument
    plugin: str


def documents_of(instance: Instance) -> dict[str, DocumentBinding]:
    """All documents that plugins give to peers, by their names. Raises `PluginError` for one that breaks the rules."""
    bindings = {}
    for plugin, documents in peer_documents_of(instance):
        for name, document in documents.items():
            if not isinstance(document, PeerDocument):
                raise PluginError(plugin, "peer_documents", f"{document!r:.200} is not a PeerDocument")
            if not _is_name(plugin, name) or not _is_scope(plugin, document.scope):
                text = f"{name!r} and its scope must be names like {plugin}.Contact and {plugin}.contact"
                raise PluginError(plugin, "peer_documents", text)
            bindings[name] = DocumentBinding(name, document, plugin)
    return bindings


def _bindings(instance: Instance) -> Iterator[Binding]:
    for plugin, types in message_types_of(instance):
        for message_type, handler in types.items():
            binding = Binding(message_type, handler, plugin)
            if plugin != FEDERATION:
                _refuse_unfit(binding)
            yield binding


def _refuse_unfit(binding: Binding) -> None:
    """Raises `PluginError`."""
    message_type, plugin = binding.type, binding.plugin
    if not isinstance(message_type, MessageType) or not isinstance(binding.handler, Handler):
        raise _unfit(plugin, f"{message_type!r:.200} is not a MessageType with a Handler")
    if not _is_name(plugin, message_type.name):
        raise _unfit(plugin, f"{message_type.name!r} must be a name like {plugin}.CrateReturn")
    if message_type.scope is not None and not _is_scope(plugin, message_type.scope):
        raise _unfit(plugin, f"the scope of {message_type.name} must be None, one of {SCOPES}, or {plugin}.<word>")
    if message_type.lane not in ("order", "catalogue"):
        raise _unfit(plugin, f"the lane of {message_type.name} must be order or catalogue")
    if message_type.states != {"accepted"} or message_type.opens:
        raise _unfit(plugin, f"{message_type.name} may come from accepted peers only, and opens no epoch")
    if not 0 < message_type.largest <= LARGEST:
        raise _unfit(plugin, f"largest of {message_type.name} must be 1 to {LARGEST} bytes")
    if not is_dataclass(message_type.body):
        raise _unfit(plugin, f"the body of {message_type.name} must be a frozen dataclass")


def _is_name(plugin: str, name: str) -> bool:
    prefix, _, word = name.rpartition(".")
    return prefix == plugin and _NAME.fullmatch(word) is not None


def _is_scope(plugin: str, scope: str) -> bool:
    prefix, _, word = scope.rpartition(".")
    return scope in SCOPES or (prefix == plugin and _SCOPE.fullmatch(word) is not None)


def _unfit(plugin: str, what: str) -> PluginError:
    return PluginError(plugin, "message_types", what)
