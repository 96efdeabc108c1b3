"""The example has the bundled plugins' settings for the whole instance, and a new instance has the plugins."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.hooks import specifications
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.parts.setup.begin import USUAL

EXAMPLE = Path(__file__).parents[2] / "instance.example.toml"


def test_a_new_instance_has_every_bundled_plugin() -> None:
    bundled = {name for name, point in plugin_entry_points().items() if point.dist and point.dist.name == "commensal"}
    assert set(USUAL) == bundled


def test_the_example_names_every_setting_of_every_plugin_with_its_default(clock: ManualClock) -> None:
    example_settings = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))["plugins"]
    hooks = load_plugins(InstanceSettings(name="Test", plugins=example_settings), clock=clock)
    shapes = {answer.plugin: answer.value for answer in hooks.each(specifications.instance_settings) if answer.value}
    assert set(example_settings) - {"enabled"} == set(shapes)
    for plugin, shape in shapes.items():
        assert set(example_settings[plugin]) == {field.name for field in dataclasses.fields(shape)}
        assert hooks.instance_settings(plugin) == shape()
