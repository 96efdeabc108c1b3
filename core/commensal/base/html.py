"""Sanitises HTML that people write. All such HTML must pass here."""

from __future__ import annotations

import nh3

LONGEST = 20_000  # characters; the text is cut before parsing, so that its cost is bounded
_TAGS = {"p", "br", "strong", "b", "em", "i", "ul", "ol", "li", "h3", "h4", "blockquote", "a"}
_ATTRIBUTES = {"a": {"href"}}
_SCHEMES = {"http", "https", "mailto", "tel"}


def clean_html(text: str) -> str:
    """Keeps paragraphs, lists, emphasis and links, the text of other elements, and nothing of scripts and styles.

    Relative links lose their address, because ``//elsewhere`` is a relative link to another site.
    """
    return nh3.clean(
        text[:LONGEST], tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, url_relative="deny"
    ).strip()
