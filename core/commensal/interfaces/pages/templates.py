"""Templates of plugins: found by folder, translated, safe by default.

A template is looked for in the instance's own folder ``templates/``, then in each plugin's, in the operator's order. A
plugin keeps its own under ``templates/<id>/``; the same path further up overrides it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ...base.languages.catalogs import translate
from ...base.languages.formats import format_day, format_moment, format_money, format_quantity
from ...instance import Instance
from ..api.assets import asset_url

if TYPE_CHECKING:
    import jinja2

Pieces = Callable[[Iterable[Hashable]], Markup]


def environment(instance: Instance) -> jinja2.Environment:
    """The templates of an instance. HTML is escaped everywhere; undefined names are errors."""
    return _environment(instance.folder, tuple(instance.hooks.folders().items()))


@cache
def _environment(own: Path, of_plugins: tuple[tuple[str, Path], ...]) -> jinja2.Environment:
    import jinja2  # it takes long to load, and commands show no pages

    static = {plugin: folder / "static" for plugin, folder in of_plugins}
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder / "templates" for folder in (own, *dict(of_plugins).values())]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.globals["asset"] = lambda plugin, name: asset_url(plugin, static[plugin], name)
    return made


def render(instance: Instance, name: str, language: str, context: Mapping[str, Any]) -> str:
    """The template in the reader's language. In it: ``_("Text")``, ``money(amount, currency)``, ``moment(at, zone)``,
    ``day(at, zone)``, ``quantity(value, unit)``, and ``asset("plugin", "name.css")``, the address of a static file."""
    return environment(instance).get_template(name).render({**_words(language), **context})


def pieces(instance: Instance, name: str, language: str, what: str, shared: Mapping[str, Hashable]) -> Pieces:
    """The same for parts of a page that are shown again and again, one for each thing that the template calls `what`.
    A part depends on nothing but that and what all `shared`, so it is made once for equal values, and cannot be out of
    date."""
    made = _made(environment(instance).get_template(name), language, what, tuple(shared.items()))
    return lambda things: Markup("".join([made(one) for one in things]))  # noqa: S704 - templates escape


@lru_cache(maxsize=16)
def _made(
    template: jinja2.Template, language: str, what: str, shared: tuple[tuple[str, Hashable], ...]
) -> Callable[[Hashable], str]:
    context = {**_words(language), **dict(shared)}
    return lru_cache(maxsize=500)(lambda one: template.render({**context, what: one}))


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
