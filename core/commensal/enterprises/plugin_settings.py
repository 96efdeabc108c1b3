"""Validation of plugins' settings by the plugin's class, and the hiding of their secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, get_args, get_origin, get_type_hints

from ..base.credentials import secret_names
from ..base.errors import Invalid, Problem, SettingsError
from ..base.reading import read_settings, read_value

HIDDEN = "***"
_MOST = 100  # settings of one plugin


def check_settings(shape: type | None, settings: Mapping[str, object]) -> None:
    """Raises `Invalid`, naming every setting that `shape`, the plugin's class, refuses. None accepts no setting."""
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


def hide_secrets(shape: type | None, settings: Mapping[str, object]) -> dict[str, object]:
    """The settings with every secret replaced by `HIDDEN`."""
    secret_keys = secret_names(shape)
    return {key: HIDDEN if key in secret_keys and value else value for key, value in settings.items()}


def keep_secrets(shape: type | None, sent: Mapping[str, object], stored: Mapping[str, object]) -> dict[str, object]:
    """The sent settings, with the stored value of every secret that was sent back hidden."""
    secret_keys = secret_names(shape)
    hidden = {key for key, value in sent.items() if key in secret_keys and value == HIDDEN}
    return {key: stored.get(key, "") if key in hidden else value for key, value in sent.items()}


def _mistakes(shape: type, settings: Mapping[str, object]) -> Iterator[Problem]:
    """Reads each setting by itself, because reading all at once stops at the first mistake."""
    hints = get_type_hints(shape, include_extras=True)
    for key in list(settings)[:_MOST]:
        if key not in hints:
            yield from _mistake(shape, {key: settings[key]}, f"/settings/{key}", "")
        else:
            yield from _mistakes_in(hints[key], key, settings[key])


def _mistakes_in(hint: object, key: str, value: object) -> Iterator[Problem]:
    """Reads the items of a list one by one; reads the list as a whole if every item is right by itself."""
    item_hint = _item_hint(hint)
    problems = []
    if item_hint is not None and isinstance(value, list):
        for index, item in enumerate(value[:_MOST]):
            problems += _mistake(item_hint, item, f"/settings/{key}/{index}", f"{key}[{index}]")
    yield from problems or _mistake(hint, value, f"/settings/{key}", key)


def _mistake(hint: object, value: object, where: str, name: str) -> list[Problem]:
    try:
        read_value(hint, value, name)
    except SettingsError as error:
        return [_problem(where, error)]
    return []


def _item_hint(hint: object) -> object:
    """The type X of a ``tuple[X, ...]``; None for other types."""
    if get_origin(hint) is Annotated:
        return _item_hint(get_args(hint)[0])
    inner = get_args(hint)
    return inner[0] if get_origin(hint) is tuple and inner[1:] == (...,) else None


def _problem(where: str, error: SettingsError) -> Problem:
    return Problem("setting", "This setting is not right: {what}", where, {"what": error})
