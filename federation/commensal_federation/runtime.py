"""What every room is handed: the instance, its name among others, and the way to them."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from commensal import Instance

from .settings import FederationSettings
from .transport import HttpTransport, Transport

LONGEST = 60.0  # seconds of a transaction that may bring a whole enterprise, or fifty messages


@dataclass(frozen=True)
class Federation:
    """An instance as one among others. It holds no state: what counts stands in the database."""

    instance: Instance
    transport: Transport

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


_others: dict[int, Transport] = {}  # by the identity of the instance


def federation_of(instance: Instance) -> Federation:
    """The one of this instance. It costs nothing to ask again."""
    return Federation(instance, _others.get(id(instance)) or HttpTransport(instance))


def use_transport(instance: Instance, transport: Transport) -> Federation:
    """From now on this instance reaches others by `transport`: simulators and tests have their own."""
    if id(instance) not in _others:
        weakref.finalize(instance, _others.pop, id(instance), None)
    _others[id(instance)] = transport
    return federation_of(instance)
