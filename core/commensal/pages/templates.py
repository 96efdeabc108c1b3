"""Templates of plugins: found by folder, translated, safe by default.

A template is looked for in the instance's own folder ``templates/``, then in each plugin's, in the operator's order. A
plugin keeps its own under ``templates/<id>/``; the same path further up overrides it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import cache, lru_cache
from typing import Any

import jinja2
from markupsafe import Markup

from ..instance import Instance
from ..languages.catalogs import translate
from ..languages.formats import format_day, format_moment, format_money, format_quantity


def environment(instance: Instance) -> jinja2.Environment:
    """The templates of an instance. HTML is escaped everywhere; undefined names are errors."""
    folders = [folder / "templates" for folder in (instance.folder, *instance.hooks.folders().values())]
    return _environment(tuple(str(folder) for folder in folders if folder.is_dir()))


@cache
def _environment(folders: tuple[str, ...]) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    return made


def render(instance: Instance, name: str, language: str, context: Mapping[str, Any]) -> str:
    """The template in the reader's language. In it: ``_("Text")``, ``money(amount, currency)``, ``moment(at, zone)``,
    ``day(at, zone)``, ``quantity(value, unit)``."""
    return environment(instance).get_template(name).render({**_words(language), **context})


def piece(instance: Instance, name: str, language: str) -> Callable[..., Markup]:
    """The same for a part of a page that is shown again and again. It depends on nothing but what it is called with, so
    it is made once for equal values, and cannot be out of date."""
    template = environment(instance).get_template(name)
    return lambda **context: _made(template, language, tuple(context.items()))


@lru_cache(maxsize=5_000)
def _made(template: jinja2.Template, language: str, context: tuple[tuple[str, Hashable], ...]) -> Markup:
    return Markup(template.render({**_words(language), **dict(context)}))  # noqa: S704 - templates escape


@cache
def _words(language: str) -> Mapping[str, Any]:
    def gettext(text: str, **values: Any) -> str:
        said = translate(language, text)
        return said.format(**values) if values else said

    return {
        "_": gettext,
        "language": language,
        "money": lambda amount, currency: format_money(amount, currency, language),
        "moment": lambda at, zone: format_moment(at, zone, language),
        "day": lambda at, zone: format_day(at, zone, language),
        "quantity": lambda value, unit: format_quantity(value, unit, language),
    }
