"""Checks settings: every one has a default, and secrets are declared as such."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import get_args, get_type_hints

from ...base.errors import Refused
from ...base.ids import Secret
from ...base.reading import read_settings
from .check import Nonconforming, Subject, check, demand

# Usual names of secrets.
_SECRET = re.compile(r"(^|_)(secret|password|passphrase|token|api_key|private_key|secret_key|signing_key)($|_)")


@check("enterprise_settings", "instance_settings")
def its_settings_are_a_frozen_dataclass_with_defaults(subject: Subject) -> None:
    for shape in _shapes(subject):
        frozen = dataclasses.is_dataclass(shape) and shape.__dataclass_params__.frozen  # type: ignore[attr-defined]
        demand(frozen, f"{shape.__name__} must be a frozen dataclass")
        try:
            shape()
        except TypeError as error:
            raise Nonconforming(f"{shape.__name__}: give every field a default ({error})") from error
        read_settings(shape, {})


@check("enterprise_settings", "instance_settings")
def its_secrets_are_declared_as_such(subject: Subject) -> None:
    """A `Secret` stays out of logs and answers. Judged by the names of fields."""
    for shape in _shapes(subject):
        for name, hint in get_type_hints(shape).items():
            hidden = hint is Secret or Secret in get_args(hint)
            text = hint is str or str in get_args(hint)
            sounds_secret = _SECRET.search(name) is not None and not name.endswith("_file")
            demand(
                hidden or not (text and sounds_secret), f"{shape.__name__}.{name} sounds secret; declare it as Secret"
            )


@check("enterprise_settings")
def an_enterprise_may_switch_it_on_and_off_with_its_defaults(subject: Subject) -> None:
    with subject.shop() as shop:
        other = shop.neighbour()
        try:
            other.use(subject.plugin, {})
        except Refused as refusal:
            raise Nonconforming(f"it refuses its own defaults: {refusal}") from refusal
        other.do_without(subject.plugin)
        other.use(subject.plugin, {})


def _shapes(subject: Subject) -> Iterator[type]:
    for name in ("enterprise_settings", "instance_settings"):
        if name in subject.hooks:
            shape = getattr(subject.module, name)()
            demand(isinstance(shape, type), f"{name} must return a class, not {shape!r}")
            yield shape
