"""Renders templates of plugins: translated, and with HTML escaped by default.

A template is searched in the instance's own folder ``templates/``, then in each plugin's, in the operator's order. A
plugin has its own under ``templates/<id>/``; the same path in a folder that is searched earlier overrides it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from ...base.languages.catalogs import LANGUAGES, translate
from ...base.languages.formats import (
    format_day,
    format_moment,
    format_money,
    format_quantity,
    format_short_moment,
    language_name,
    text_direction,
)
from ...instance import Instance
from .assets import asset_url, static_folders

if TYPE_CHECKING:
    import jinja2


Pieces = Callable[[Iterable[Hashable]], Markup]


def environment(instance: Instance) -> jinja2.Environment:
    """The templates of an instance. HTML is always escaped, and undefined names are errors."""
    return _environment(instance.folder, tuple(instance.hooks.folders().items()))


@cache
def _environment(own_folder: Path, plugin_folders: tuple[tuple[str, Path], ...]) -> jinja2.Environment:
    import jinja2  # slow to import, and commands show no pages

    static = static_folders(dict(plugin_folders))
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(
            [folder / "templates" for folder in (own_folder, *dict(plugin_folders).values())]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.policies["ext.i18n.trimmed"] = True
    templates.globals["asset"] = lambda plugin, name: asset_url(plugin, static[plugin], name)
    return templates


def render(instance: Instance, name: str, language: str, context: Mapping[str, object]) -> str:
    """The template in the reader's language. In it: ``_("Text")``, ``money(amount, currency)``, ``moment(at, zone)``,
    ``short_moment(at, zone)``, ``day(at, zone)``, ``quantity(value, unit)``, ``languages`` (names by code),
    ``direction`` ("ltr"), and ``asset("plugin", "name.css")``, the address of a static file;
    ``asset("commensal", "leave.js")`` is for pages with a button that logs out, and removes what pages have stored in
    the browser."""
    return environment(instance).get_template(name).render({**_template_functions(language), **context})


def pieces(instance: Instance, name: str, language: str, what: str, shared: Mapping[str, Hashable]) -> Pieces:
    """A function that renders a part of a page for each of many values, with a cache for equal values. The template
    gets the value under the name `what`. It depends on nothing but that and the `shared` values, so the cache is never
    out of date."""
    render_piece = _cached_renderer(environment(instance).get_template(name), language, what, tuple(shared.items()))
    return lambda items: Markup("".join([render_piece(item) for item in items]))  # noqa: S704 - templates escape


@lru_cache(maxsize=16)
def _cached_renderer(
    template: jinja2.Template, language: str, what: str, shared: tuple[tuple[str, Hashable], ...]
) -> Callable[[Hashable], str]:
    context = {**_template_functions(language), **dict(shared)}
    return lru_cache(maxsize=500)(lambda item: template.render({**context, what: item}))


@cache
def _template_functions(language: str) -> Mapping[str, object]:
    def gettext(text: str, **values: object) -> str:
        translation = translate(language, text)
        return translation.format(**values) if values else translation

    return {
        "_": gettext,
        "language": language,
        "direction": text_direction(language),
        "languages": {code: language_name(code) for code in LANGUAGES},
        "money": lambda amount, currency: format_money(amount, currency, language),
        "moment": lambda at, zone: format_moment(at, zone, language),
        "short_moment": lambda at, zone: format_short_moment(at, zone, language),
        "day": lambda at, zone: format_day(at, zone, language),
        "quantity": lambda value, unit: format_quantity(value, unit, language),
    }
