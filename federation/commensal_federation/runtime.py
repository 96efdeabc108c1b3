"""The federation of an instance, which every room receives: its address, its transport and its message types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from pathlib import Path

from commensal import Instance, PluginError, message_types_of, open_instance, peer_documents_of

from .messages.types import LARGEST, SCOPES, Handler, MessageType, PeerDocument
from .settings import FederationSettings
from .transport import HttpTransport, Transport

# Which types of message an instance speaks, and which documents it gives, as its plugins say by two hooks.
#
# The federation brings its own types by the same hook (`handlers.py`). Another plugin's must keep to the rules of
# `_refuse_unfit`, so that no plugin can speak for another, or change how instances become peers.

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


LONGEST = 60.0  # seconds; limit of a transaction that imports an enterprise or takes fifty messages


@dataclass(frozen=True)
class Federation:
    """An instance as a member of the federation. It holds no state; all state is in the database.

    `messages` are the message types that this instance knows, by name.
    """

    instance: Instance
    transport: Transport
    messages: Mapping[str, Binding]

    @property
    def base(self) -> str:
        """The address at which others reach this instance, without a trailing slash."""
        return self.instance.settings.base_url.rstrip("/")

    @property
    def iri(self) -> str:
        """This instance's IRI in messages: the address of its document."""
        return f"{self.base}/.well-known/commensal"

    @property
    def settings(self) -> FederationSettings:
        settings = self.instance.hooks.instance_settings("federation")
        return settings if isinstance(settings, FederationSettings) else FederationSettings()

    @property
    def scopes(self) -> tuple[str, ...]:
        """All scopes that a peer can be granted: the federation's, and those of other plugins' message types."""
        message_scopes = {binding.type.scope for binding in self.messages.values() if binding.type.scope is not None}
        return (*SCOPES, *sorted(message_scopes - set(SCOPES)))


def federation_of(instance: Instance) -> Federation:
    """The federation of this instance; cheap to call again.

    Raises `PluginError` if a plugin has a message type that breaks the rules.
    """
    return Federation(instance, instance.state.of(transport_of), instance.state.of(bindings_of))


@contextmanager
def open_federation(folder: Path) -> Iterator[Federation]:
    """The federation of the instance in this folder, for commands; closed at the end."""
    with open_instance(folder) as instance:
        yield federation_of(instance)


def transport_of(instance: Instance) -> Transport:
    """How this instance reaches others, unless `use_transport` says otherwise."""
    return HttpTransport(instance)


def use_transport(instance: Instance, transport: Transport) -> Federation:
    """Makes this instance reach others by `transport`, for simulators and tests. Returns its federation."""
    instance.state.replace(transport_of, transport)
    return federation_of(instance)
