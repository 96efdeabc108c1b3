"""Renders the content of an e-mail from templates: a subject, a text, and the same text as HTML.

Each kind has ``mail/<kind>.txt``, whose first line is the subject, and ``mail/<kind>.html``. They are searched in the
instance's own folder ``templates/``, then in each plugin's, then here; the first one found is used.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image as PillowImage

from ...base.errors import NotFound, PluginError
from ...base.languages import formats
from ...base.languages.catalogs import translate
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...hooks.values import PageLine, PagePart
from ...instance import Instance
from ...orders.values import Order
from ...storage.database import Transaction
from ..pictures.images import enterprise_pictures, read_picture
from .order_view import as_told, shown_codes

if TYPE_CHECKING:
    import jinja2
    import markupsafe


_HERE = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Rendered:
    """The content of an e-mail."""

    subject: str
    text: str
    html: str


def render(
    kind: str, language: str, timezone: str, values: Mapping[str, object], search: tuple[Path, ...] = ()
) -> Rendered:
    """The e-mail of this kind in `language`, with times in the IANA `timezone`. `search` are folders of templates that
    are searched before the core's. Raises `jinja2.UndefinedError` for a template that uses an unknown name."""
    templates = _environment(search)
    context = {**_template_functions(language, timezone), **values}
    subject, _, text = templates.get_template(f"mail/{kind}.txt").render(context).strip().partition("\n")
    html = templates.get_template(f"mail/{kind}.html").render(context)
    return Rendered(subject.strip(), re.sub(r"\n{3,}", "\n\n", f"{text.strip()}\n"), html)


@cache
def _environment(search: tuple[Path, ...]) -> jinja2.Environment:
    import jinja2  # slow to import, and most processes write no e-mail

    own_templates = jinja2.PrefixLoader({"mail": jinja2.FileSystemLoader(_HERE)})
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(search), own_templates]),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )


def _template_functions(language: str, timezone: str) -> dict[str, object]:
    """The functions of templates: ``_("Text {x}", x=…)`` translates, others format amounts and times."""

    def gettext(text: str, **values: object) -> str:
        return translate(language, text).format(**values)

    return {
        "_": gettext,
        "language": language,
        "direction": formats.text_direction(language),
        "as_told": as_told,
        "shown_codes": shown_codes,
        "with_code": _with_code,
        "money": partial(formats.format_money, language=language),
        "percent": partial(formats.format_percent, language=language),
        "quantity": partial(formats.format_quantity, language=language),
        "short": partial(formats.format_short_moment, timezone=timezone, language=language),
        "moment": partial(formats.format_moment, timezone=timezone, language=language),
        "hour": partial(formats.format_hour, timezone=timezone, language=language),
        "span": partial(formats.format_span, timezone=timezone, language=language),
    }


def _with_code(text: str) -> markupsafe.Markup:
    """HTML of a text in which commands and names of settings stand between backticks."""
    from markupsafe import Markup, escape  # jinja2 brings it, which is slow to import

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it is escaped


# The logo of a shop for its e-mails: a small PNG, since not every program that shows e-mails knows WebP.

SIDE = 96  # pixels, shown at half that size


def logo_of(tx: Transaction, images: Path, enterprise_id: str) -> bytes:
    """The logo of the enterprise as a PNG of at most `SIDE` pixels; empty if it has none, or its file is gone."""
    logo = enterprise_pictures(tx, enterprise_id).logo
    if logo is None:
        return b""
    try:
        return _as_png(read_picture(tx, images, logo.id, small=True))
    except NotFound:
        return b""


@lru_cache(maxsize=64)
def _as_png(thumbnail: bytes) -> bytes:
    """Converts a thumbnail, which the instance has encoded itself."""
    with PillowImage.open(io.BytesIO(thumbnail), formats=("WEBP",)) as image:
        image.thumbnail((SIDE, SIDE))
        out = io.BytesIO()
        image.save(out, "PNG", optimize=True)
    return out.getvalue()


# Parts that plugins add to e-mails about orders.


def mail_parts(instance: Instance, order: Order, kind: str, language: str) -> list[PagePart]:
    """The parts with lines that the shop's plugins add to this e-mail, by their position, with complete links.

    A plugin that hangs costs the e-mail all parts: it takes their transaction with it.
    """
    if not instance.hooks.implementing(specifications.mail_parts):
        return []
    try:
        with instance.store.read() as tx:
            answers = instance.hooks.each(
                specifications.mail_parts,
                enabled_plugins(tx, order.enterprise_id),
                tx=tx,
                order=order,
                kind=kind,
                language=language,
            )
    except PluginError:
        return []  # the dispatcher of hooks has noted it
    parts = [_with_links(instance, part) for answer in answers for part in answer.value or () if part.lines]
    return sorted(parts, key=lambda part: part.position)


def _with_links(instance: Instance, part: PagePart) -> PagePart:
    return replace(part, lines=[replace(line, url=_complete(instance, line)) for line in part.lines])


def _complete(instance: Instance, line: PageLine) -> str:
    """The address of the line's link: a path of this instance, or an address elsewhere; "" for anything else."""
    if line.url.startswith("/") and not line.url.startswith("//"):
        return instance.settings.base_url.rstrip("/") + line.url
    return line.url if line.url.startswith(("https://", "http://")) else ""
