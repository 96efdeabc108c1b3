"""What plugins say of the health of an instance, by the hook `health_reasons`."""

from __future__ import annotations

from collections.abc import Iterator

from ...base.errors import PluginError, Problem
from ...hooks import specifications
from ...instance import Instance


def plugin_reasons(instance: Instance) -> Iterator[tuple[str, Problem]]:
    """Yields each problem with the id of its plugin. A plugin that fails or hangs is left out: it costs its own time
    limit, and the failure is noted."""
    hook, hooks = specifications.health_reasons, instance.hooks
    for plugin in hooks.implementing(hook):
        try:
            with instance.store.read() as tx:
                answers = hooks.each(hook, [plugin], tx=tx, instance=instance)
        except PluginError:
            continue
        yield from ((plugin, problem) for answer in answers for problem in answer.value or ())
