"""What every room is handed: the instance, its name among others, the way to them, and what it says to them."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass

from commensal import Instance

from .bindings import Binding, bindings_of
from .messages.types import SCOPES
from .settings import FederationSettings
from .transport import HttpTransport, Transport

LONGEST = 60.0  # seconds of a transaction that may bring a whole enterprise, or fifty messages


@dataclass(frozen=True)
class Federation:
    """An instance as one among others. It holds no state: what counts stands in the database.

    `messages` are the types of message that this instance speaks, by their names.
    """

    instance: Instance
    transport: Transport
    messages: Mapping[str, Binding]

    @property
    def base(self) -> str:
        """The address under which others reach this instance, without a slash at its end."""
        return self.instance.settings.base_url.rstrip("/")

    @property
    def iri(self) -> str:
        """This instance's name in messages: the address of its document."""
        return f"{self.base}/.well-known/commensal"

    @property
    def settings(self) -> FederationSettings:
        settings = self.instance.hooks.instance_settings("federation")
        return settings if isinstance(settings, FederationSettings) else FederationSettings()

    @property
    def scopes(self) -> tuple[str, ...]:
        """What a peer may be given: the scopes of the federation, and those of other plugins' messages."""
        ours = {binding.type.scope for binding in self.messages.values() if binding.type.scope is not None}
        return (*SCOPES, *sorted(ours - set(SCOPES)))


# By the identity of the instance.
_transports: dict[int, Transport] = {}
_bindings: dict[int, Mapping[str, Binding]] = {}


def federation_of(instance: Instance) -> Federation:
    """The one of this instance. It costs nothing to ask again.

    Raises `PluginError` where a plugin brings a type of message that breaks the rules.
    """
    if id(instance) not in _bindings:
        weakref.finalize(instance, _bindings.pop, id(instance), None)
        _bindings[id(instance)] = bindings_of(instance)
    transport = _transports.get(id(instance)) or HttpTransport(instance)
    return Federation(instance, transport, _bindings[id(instance)])


def use_transport(instance: Instance, transport: Transport) -> Federation:
    """From now on this instance reaches others by `transport`: simulators and tests have their own."""
    if id(instance) not in _transports:
        weakref.finalize(instance, _transports.pop, id(instance), None)
    _transports[id(instance)] = transport
    return federation_of(instance)
