"""Texts that people write: no script survives in them, and none makes one of our patterns slow."""

from __future__ import annotations

import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import FrameType

import nh3
import pytest

import commensal
from commensal.base import texts
from commensal.base.entry_points import plugin_entry_points
from commensal.base.texts import LONGEST, clean_html

# ------------------------------------------------------------------------------------------------ scripts

_RUN = "window.__x=1"
PAYLOADS = [
    f"<script>{_RUN}</script>",
    f"<ScRiPt >{_RUN}</sCrIpT>",
    f"<script/x>{_RUN}</script>",
    f"<<script>{_RUN}//<</script>",
    "<script src=//evil.example></script>",
    f"<img src=x onerror={_RUN}>",
    f"<img src=x onerror='{_RUN}'>",
    f'<img """><script>{_RUN}</script>">',
    f"<img/src=x/onerror={_RUN}>",
    f"<img src=x:x onerror\n=\n{_RUN}>",
    f"<svg onload={_RUN}>",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg/onload={_RUN}//",
    f"<svg><a xlink:href='javascript:{_RUN}'>x</a>",
    f"<svg><animate onbegin={_RUN} attributeName=x>",
    "<svg><use href='data:image/svg+xml,x'/>",
    f"<math><mi xlink:href='javascript:{_RUN}'>x",
    f"<math><mtext><table><mglyph><style><img src=x onerror={_RUN}>",
    f"<body onload={_RUN}>",
    f"<iframe src='javascript:{_RUN}'></iframe>",
    f"<iframe srcdoc='<script>{_RUN}</script>'>",
    f"<object data='javascript:{_RUN}'>",
    f"<embed src='javascript:{_RUN}'>",
    f"<a href='javascript:{_RUN}'>x</a>",
    f"<a href='JaVaScRiPt:{_RUN}'>x</a>",
    f"<a href=' javascript:{_RUN}'>x</a>",
    f"<a href='java\tscript:{_RUN}'>x</a>",
    f"<a href='java\nscript:{_RUN}'>x</a>",
    f"<a href='java&#9;script:{_RUN}'>x</a>",
    f"<a href='&#106;avascript:{_RUN}'>x</a>",
    f"<a href='&#x6A;avascript:{_RUN}'>x</a>",
    f"<a href='\x01javascript:{_RUN}'>x</a>",
    f"<a href='vbscript:{_RUN}'>x</a>",
    f"<a href='data:text/html,<script>{_RUN}</script>'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='/\\evil.example'>x</a>",
    "<a href='blob:x'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    f"<a href=x onclick={_RUN}>x</a>",
    f"<a href='https://x' style='background:url(javascript:{_RUN})'>x</a>",
    f"<a href='https://x' target=_blank onmouseover={_RUN}>x</a>",
    f"<form action='javascript:{_RUN}'><button>x</button></form>",
    f"<button formaction='javascript:{_RUN}'>x</button>",
    f"<input autofocus onfocus={_RUN}>",
    f"<select autofocus onfocus={_RUN}>",
    f"<textarea autofocus onfocus={_RUN}>",
    f"<video src=x onerror={_RUN}>",
    f"<audio src=x onerror={_RUN}>",
    f"<video><source onerror={_RUN}>",
    f"<details open ontoggle={_RUN}>",
    f"<marquee onstart={_RUN}>",
    f"<style>@import 'javascript:{_RUN}'</style>",
    f"<style><img src='</style><img src=x onerror={_RUN}>'>",
    f"<link rel=stylesheet href='javascript:{_RUN}'>",
    f"<meta http-equiv=refresh content='0;url=javascript:{_RUN}'>",
    f"<base href='javascript:{_RUN}//'>",
    f"<template><script>{_RUN}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={_RUN}>'>",
    f"<!--<img src='--><img src=x onerror={_RUN}>'>",
    f"<![CDATA[<script>{_RUN}</script>]]>",
    f"<xmp><img src=x onerror={_RUN}></xmp>",
    f"<p onclick={_RUN}>x</p>",
    f"<p style='x:expression({_RUN})'>x</p>",
    "<p id=__proto__ name=body class=x>x</p>",
    f"<plaintext><script>{_RUN}",
    f"</p><script>{_RUN}</script><p>",
    f"%3Cscript%3E{_RUN}%3C/script%3E",
    f"+ADw-script+AD4-{_RUN}",
]
_ALLOWED = {"p", "br", "strong", "b", "em", "i", "ul", "ol", "li", "h3", "h4", "blockquote", "a"}


class Seen(HTMLParser):
    """Finds what a browser must not find in a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.bad = list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ALLOWED:
            self.bad.append(tag)
        for name, value in attrs:
            fine = tag == "a" and (
                name == "rel" or (name == "href" and re.match(r"(?:https?://|mailto:|tel:)", value or ""))
            )
            if not fine:
                self.bad.append(f"{name}={value}")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_script_survives(payload: str) -> None:
    for text in (payload, f"<p>before {payload} after</p>", payload * 3):
        assert Seen(clean_html(text)).bad == []


def test_a_cleaner_that_lets_something_through_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    caught = [payload for payload in PAYLOADS if Seen(payload).bad]
    assert len(caught) > 60
    monkeypatch.setattr(texts, "_ATTRIBUTES", {"a": {"href", "style"}, "p": {"id"}})
    assert [payload for payload in PAYLOADS if Seen(clean_html(payload)).bad]


def test_a_huge_text_is_cut_before_it_is_cleaned() -> None:
    """Cleaning takes the square of the nesting: a megabyte would take minutes."""
    started = time.process_time()
    assert len(clean_html("<div>" * 200_000)) <= LONGEST
    assert len(clean_html("<p>" * 200_000)) <= 3 * LONGEST
    assert time.process_time() - started < 2


def test_the_cut_is_what_keeps_it_short(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = list[int]()

    def measure(text: str, **kwargs: object) -> str:
        lengths.append(len(text))
        return ""

    monkeypatch.setattr(nh3, "clean", measure)
    clean_html("<div>" * 200_000)
    assert lengths == [LONGEST]


# ------------------------------------------------------------------------------------------------ patterns

SECONDS = 0.25  # of processor time for one pattern and one text; the aim is 50 ms, but the machine may be slow
_BAITS: tuple[str, ...] = (
    "a",
    "A",
    "0",
    " ",
    "\t",
    "-",
    ".",
    "/",
    "=",
    "<",
    "&",
    "_",
    ",",
    ";",
    "é",
    "a.",
    "a-",
    "1.",
    " a",
    "a@",
    "é ",
)
_BAITS += ("0,", "&a", "{a", "}", "%a", "\n", "a\n", "()", "[]", '"', "'", "::", "//", "\\", "\x00", "+", "#", "a=")
_ENDS = ("", "!", "\n", "\x00", "é", "@", "a")


class TooSlow(Exception):
    pass


def _stop(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def slow_for(pattern: re.Pattern[str], *, searches: bool = True, length: int = 30_000) -> str:
    """Returns a text on which the pattern takes too long, or an empty one."""
    previous_handler = signal.signal(signal.SIGPROF, _stop)
    try:
        for repeated in _BAITS:
            for end in _ENDS:
                text = repeated * (length // len(repeated)) + end
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                try:
                    pattern.fullmatch(text)
                    pattern.match(text)
                    if searches:
                        pattern.search(text)
                except TooSlow:
                    return f"{repeated!r} … {end!r}"
                finally:
                    signal.setitimer(signal.ITIMER_PROF, 0)
    finally:
        signal.signal(signal.SIGPROF, previous_handler)
    return ""


def _own_patterns() -> Iterator[tuple[str, re.Pattern[str], bool]]:
    """Yields name, pattern, and whether the module searches anywhere in a text or only at its beginning."""
    packages = {entry_point.value.partition(":")[0] for entry_point in plugin_entry_points().values()}
    for root in (commensal, *(importlib.import_module(package) for package in sorted(packages))):
        modules = [root.__name__]
        modules += [module.name for module in pkgutil.walk_packages(getattr(root, "__path__", []), f"{root.__name__}.")]
        for name in modules:
            if ".migrations." in name or ".testing" in name or name.endswith("__main__") or ".blanks" in name:
                continue
            module = importlib.import_module(name)
            source = Path(module.__file__ or "").read_text(encoding="utf-8")
            for attribute, value in vars(module).items():
                for text in value if isinstance(value, tuple | list) else [value]:
                    if isinstance(text, re.Pattern) and isinstance(text.pattern, str):
                        anywhere = re.search(rf"\b{attribute}\.(search|sub|subn|split|findall|finditer)\b", source)
                        yield f"{name}.{attribute}", text, bool(anywhere)


OWN = sorted(_own_patterns(), key=lambda item: item[0])


@pytest.mark.parametrize(("name", "pattern", "searches"), OWN, ids=[name for name, *_ in OWN])
def test_no_text_makes_a_pattern_of_ours_think_for_long(name: str, pattern: re.Pattern[str], searches: bool) -> None:
    assert slow_for(pattern, searches=searches) == ""


def test_a_pattern_that_thinks_for_ever_is_found() -> None:
    assert slow_for(re.compile(r"^(a+)+$"))
    assert slow_for(re.compile(r"(\s*)*x"), length=5_000)
    assert len(OWN) > 20
