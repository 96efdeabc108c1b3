"""One plugin's function for one hook, with what each call of it needs, worked out at the first call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pluggy

from .breaker import PluginPlace
from .contract import AnyHook, only_for_of

SETTINGS, INSTANCE_SETTINGS = "settings", "instance_settings"  # arguments that every implementation may take


class Implementation:
    """`names` are the arguments that it takes from the caller of the hook, so without those of settings. `only_for` are
    the arguments with the values for which alone it is called; empty: it always is."""

    __slots__ = ("function", "names", "only_for", "place", "plugin", "takes_instance_settings", "takes_settings")

    def __init__(self, hook: AnyHook, implementation: pluggy.HookImpl) -> None:
        self.plugin: str = implementation.plugin_name
        self.place = PluginPlace(self.plugin, hook.name)
        self.function: Callable[..., object] = implementation.function
        arguments = implementation.argnames
        self.takes_settings, self.takes_instance_settings = SETTINGS in arguments, INSTANCE_SETTINGS in arguments
        self.names = tuple(name for name in arguments if name not in (SETTINGS, INSTANCE_SETTINGS))
        self.only_for = tuple(only_for_of(self.function).items())

    def is_for(self, arguments: Mapping[str, object]) -> bool:
        """Whether the plugin is to be asked about these arguments: see `only_for`."""
        for name, values in self.only_for:  # noqa: SIM110 - an order asks this 25 times, and a loop takes half the time
            if name in arguments and arguments[name] not in values:
                return False
        return True
