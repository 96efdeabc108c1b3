"""Every block of settings in a page of the documentation is settings: an instance takes it as it stands there."""

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
from commensal.instance.begin import USUAL
from commensal.instance.settings import load_settings

pytestmark = pytest.mark.bundled

ROOT = Path(__file__).parents[2]
_PAGES = [
    *ROOT.glob("*.md"),
    *(page for room in ("core", "plugins", "federation") for page in ROOT.glob(f"{room}/**/*.md")),
]
_BLOCK = re.compile(r"^( *)```toml(?: file=(\S+))?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ELSEWHERE = {"frais.toml": "an enterprise's settings of a plugin: tests/core/test_guides.py hands them in"}


def _blocks() -> Iterator[tuple[str, str]]:
    """Where a block stands, and its text."""
    for page in _PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            if found[2] not in _ELSEWHERE:
                line = text[: found.start()].count("\n") + 1
                yield f"{page.relative_to(ROOT)}:{line}", textwrap.dedent(found[3])


BLOCKS = dict(_blocks())


@pytest.mark.parametrize("place", BLOCKS)
def test_a_block_of_settings_is_taken_by_an_instance(place: str, tmp_path: Path, clock: ManualClock) -> None:
    said = tomllib.loads(BLOCKS[place])
    if "project" in said:
        return  # the pyproject.toml of a plugin, which tests/plugins/test_author_readme.py builds
    assert set(said) <= {field.name for field in fields(InstanceSettings)}, f"{place}: no settings of an instance"
    base = "" if "name" in said else 'name = "Les Paniers du Val"\nbase_url = "https://val.example"\n'
    enabled = (
        "" if re.search(r"^\[plugins\]", BLOCKS[place], re.MULTILINE) else f"\n[plugins]\nenabled = {list(USUAL)}\n"
    )
    (tmp_path / "instance.toml").write_text(base + BLOCKS[place] + enabled, encoding="utf-8")
    load_plugins(load_settings(tmp_path), clock=clock)


def test_blocks_are_found_in_lists_too() -> None:
    assert any("[[plugins.federation.platforms]]" in block for block in BLOCKS.values())
