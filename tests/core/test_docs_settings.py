"""Every block of settings in the documentation can be loaded by an instance unchanged."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from commensal.base.clock import ManualClock
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.instance.settings import load_settings
from commensal.parts.setup.begin import USUAL

pytestmark = pytest.mark.bundled

ROOT = Path(__file__).parents[2]
_PAGES = [
    *ROOT.glob("*.md"),
    *(page for room in ("core", "plugins", "federation") for page in ROOT.glob(f"{room}/**/*.md")),
]
_BLOCK = re.compile(r"^( *)```toml(?: file=(\S+))?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ELSEWHERE = {"frais.toml": "an enterprise's settings of a plugin: tests/core/test_guides.py uses them"}


def _blocks() -> Iterator[tuple[str, str]]:
    """Yields the place and text of each block of settings."""
    for page in _PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            if match[2] not in _ELSEWHERE:
                line = text[: match.start()].count("\n") + 1
                yield f"{page.relative_to(ROOT)}:{line}", textwrap.dedent(match[3])


BLOCKS = dict(_blocks())


@pytest.mark.parametrize("place", BLOCKS)
def test_a_block_of_settings_is_taken_by_an_instance(place: str, tmp_path: Path, clock: ManualClock) -> None:
    values = tomllib.loads(BLOCKS[place])
    if "project" in values:
        return  # the pyproject.toml of a plugin, which tests/plugins/test_author_readme.py builds
    assert set(values) <= {field.name for field in fields(InstanceSettings)}, f"{place}: no settings of an instance"
    base = "" if "name" in values else 'name = "Les Paniers du Val"\nbase_url = "https://val.example"\n'
    enabled = (
        "" if re.search(r"^\[plugins\]", BLOCKS[place], re.MULTILINE) else f"\n[plugins]\nenabled = {list(USUAL)}\n"
    )
    (tmp_path / "instance.toml").write_text(base + BLOCKS[place] + enabled, encoding="utf-8")
    load_plugins(load_settings(tmp_path), clock=clock)


def test_blocks_are_found_in_lists_too() -> None:
    assert any("[[plugins.federation.platforms]]" in block for block in BLOCKS.values())
