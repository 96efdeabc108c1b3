"""Settings of plugins on their way in and out: checked by the plugin's class, with secrets that only travel inwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import make_dataclass
from typing import Any, get_args, get_type_hints

from ..errors import Invalid, Problem, SettingsError
from ..reading import read_settings
from ..secret import Secret

HIDDEN = "***"
_MOST = 100  # settings of one plugin


def check_settings(shape: type | None, settings: Mapping[str, Any]) -> None:
    """Raises `Invalid`, naming every setting that `shape`, the plugin's class, refuses. None accepts nothing."""
    problems = []
    if shape is None:
        text = "This plugin has nothing to set."
        problems = [Problem("no_setting", text, f"/settings/{key}") for key in list(settings)[:_MOST]]
    else:
        try:
            read_settings(shape, settings)
        except SettingsError as error:
            problems = list(_mistakes(shape, settings)) or [_problem("/settings", error)]
    if problems:
        raise Invalid(problems)


def hide_secrets(shape: type | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they may be shown."""
    secret = _secrets(shape)
    return {key: HIDDEN if key in secret and value else value for key, value in settings.items()}


def keep_secrets(shape: type | None, sent: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are to be kept: a secret that was sent back hidden is the one that was kept before."""
    secret = _secrets(shape)
    hidden = {key for key, value in sent.items() if key in secret and value == HIDDEN}
    return {key: kept.get(key, "") if key in hidden else value for key, value in sent.items()}


def _mistakes(shape: type, settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Reads each setting alone, because reading them together stops at the first mistake."""
    hints = get_type_hints(shape)
    for key in list(settings)[:_MOST]:
        alone = make_dataclass("Alone", [(key, hints[key])], frozen=True) if key in hints else shape
        try:
            read_settings(alone, {key: settings[key]})
        except SettingsError as error:
            yield _problem(f"/settings/{key}", error)


def _problem(where: str, error: SettingsError) -> Problem:
    return Problem("setting", "This setting is not right: {what}", where, {"what": str(error)})


def _secrets(shape: type | None) -> frozenset[str]:
    hints = get_type_hints(shape) if shape is not None else {}
    return frozenset(name for name, hint in hints.items() if hint is Secret or Secret in get_args(hint))
