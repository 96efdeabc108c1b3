"""Renders the content of an e-mail from templates: a subject, a text, and the same text as HTML.

Each kind has ``mail/<kind>.txt``, whose first line is the subject, and ``mail/<kind>.html``. They are searched in the
instance's own folder ``templates/``, then in each plugin's, then here; the first one found is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.languages import formats
from ...base.languages.catalogs import translate
from .grouped_adjustments import as_told, shown_codes

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
