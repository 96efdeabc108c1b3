"""The recipes of plugins/COOKBOOK.md pass the tests that stand beside them; test_author_plugins checks their types."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from commensal.hooks.loading import all_hooks

from .recipes import COOKBOOK, files, ids, install_into


def test_each_recipe_passes_its_test(tmp_path: Path) -> None:
    """All of them in one process, with warnings as errors."""
    install_into(tmp_path)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--tb=short"]
    result = subprocess.run(
        command,
        cwd=tmp_path,
        env={**inherited, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^\d+ passed in", result.stdout, re.MULTILINE), result.stdout


def test_each_recipe_has_a_test_and_stands_in_the_table() -> None:
    head = COOKBOOK.read_text(encoding="utf-8").partition("\n## ")[0]
    for plugin in ids():
        assert f"test_{plugin}.py" in files()
        assert f"[{plugin}](#" in head, plugin
    named = set(re.findall(r"`(\w+)`", head)) - {"http_client", "kinds_of", "conforms"}
    assert named <= set(all_hooks()), "hooks that the table names"
