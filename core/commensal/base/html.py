"""HTML that people write, made safe to show to others. The only way in."""

from __future__ import annotations

import nh3

LONGEST = 20_000  # characters; cut before parsing, so that nobody's text costs more
_TAGS = {"p", "br", "strong", "b", "em", "i", "ul", "ol", "li", "h3", "h4", "blockquote", "a"}
_ATTRIBUTES = {"a": {"href"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def clean_html(text: str) -> str:
    """Keeps paragraphs, lists, emphasis and links. Of other elements the words stay; of scripts and styles, nothing.

    Relative links lose their address: ``//elsewhere`` is one, and leads away.
    """
    return nh3.clean(
        text[:LONGEST], tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, url_relative="deny"
    ).strip()
