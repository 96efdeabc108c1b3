"""The federation of an instance, which every room receives: its address, its transport and its message types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from commensal import Instance, open_instance

from .bindings import Binding, bindings_of
from .messages.types import SCOPES
from .settings import FederationSettings
from .transport import HttpTransport, Transport

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
