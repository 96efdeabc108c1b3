"""Work of the plugin: each room adds its own."""

from __future__ import annotations

from commensal import Work, hookimpl


@hookimpl
def jobs() -> Work:
    return Work({}, ())
