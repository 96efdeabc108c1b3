"""Renders templates of plugins: translated, and with HTML escaped by default.

A template is searched in the instance's own folder ``templates/``, then in each plugin's, in the operator's order. A
plugin has its own under ``templates/<id>/``; the same path in a folder that is searched earlier overrides it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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

if TYPE_CHECKING:
    import jinja2


# Serves static files of the core and of plugins at URLs that change with their contents, so that browsers may cache
# them for ever.
#
# ``/-/shop/static/@0a1b2c3d4e5f/shop.css``: the part after ``@`` is a hash of all files in the folder, because files
# may refer to each other by relative URLs and must change together. A URL without it, or with the hash of another
# version, works too, but tells browsers to revalidate the file each time.

_UNCHANGING = "public, max-age=31536000, immutable"
_ASK = "public, no-cache"


def static_folders(plugin_folders: Mapping[str, Path]) -> dict[str, Path]:
    """The folder ``static/`` of each plugin, whether it is there or not, and under "commensal" that of the core."""
    folders = {plugin: folder / "static" for plugin, folder in plugin_folders.items()}
    return {**folders, "commensal": Path(__file__).parent / "static"}


@cache
def version_of(folder: Path) -> str:
    """A hash of names and contents of all files in a plugin's folder ``static/``, as they were at the first call."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            digest.update(f"{file.relative_to(folder)}\n{len(content)}\n".encode() + content)
    return f"@{digest.hexdigest()[:12]}"


def asset_url(plugin: str, folder: Path, name: str) -> str:
    """The URL path of a plugin's file; `folder` is its ``static/``."""
    return f"/-/{plugin}/static/{version_of(folder)}/{name}"


class Assets(StaticFiles):
    """Starlette's static files, with versions in the URLs and the Cache-Control that follows from them."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._version = version_of(directory)

    async def get_response(self, path: str, scope: Scope) -> Response:
        version, _, name = path.partition("/")
        has_version = version.startswith("@")
        response = await super().get_response(name if has_version else path, scope)
        if response.status_code in (200, 206, 304):
            response.headers["Cache-Control"] = _UNCHANGING if version == self._version else _ASK
        return response


# The service worker of pages that open without a network; `queue.js` beside it stores what people note on them.

_FILE = Path(__file__).parent / "static" / "worker.js"


def service_worker(controls: str = "") -> Response:
    """The script of a service worker that keeps a page with its files.

    It is served below the pages that it keeps, at an address that ends with a name and ``worker.js``, and controls what
    stands beside it; with `controls`, a path, what begins with that.
    """
    headers = {"Cache-Control": "no-store"} | ({"Service-Worker-Allowed": controls} if controls else {})
    return Response(_FILE.read_bytes(), media_type="text/javascript", headers=headers)


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
