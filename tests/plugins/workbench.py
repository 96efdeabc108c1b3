"""The place of a plugin's author: a virtual environment with Commensal in it and without a network."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

_MYPY_CACHE = Path(__file__).parents[2] / ".mypy_cache"
_SCRIPTS = {
    "commensal": "from commensal.parts.cli import main; main()",
    "pip": "import sys; from pip._internal.cli.main import main; sys.exit(main())",
    "pytest": "import sys, pytest; sys.exit(pytest.main())",
    "ruff": "import os, sys; os.execv({ruff!r}, ['ruff', *sys.argv[1:]])",
    "mypy": "from mypy.__main__ import console_entry; console_entry()",
}


@dataclass(frozen=True)
class Workbench:
    """`folder` is where its owner works; `bin` holds the commands of its environment."""

    folder: Path
    bin: Path

    def run(self, command: str, at: Path | None = None, *, fails: bool = False) -> str:
        """Returns the output of the command, stdout and stderr. It must succeed, unless it `fails`."""
        result = subprocess.run(
            shlex.split(command),
            cwd=at or self.folder,
            env=self._environment(),
            text=True,
            timeout=600,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert (result.returncode != 0) == fails, f"$ {command}\n{result.stdout}"
        return result.stdout

    def _environment(self) -> dict[str, str]:
        """pip builds with the installed hatchling, and asks no index; mypy knows Commensal from `make lint`."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PIP_"))}
        offline = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        cache = {"MYPY_CACHE_DIR": str(_MYPY_CACHE)}
        return {**inherited, **offline, **cache, "PATH": f"{self.bin}:{os.environ['PATH']}", "COLUMNS": "200"}


def make_workbench(folder: Path) -> Workbench:
    """Makes an empty environment that sees the packages of the one in which the tests run."""
    venv.create(folder / "env", with_pip=False, symlinks=True)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    outside = sysconfig.get_path("purelib")
    (packages / "outside.pth").write_text(f"import site; site.addsitedir({outside!r})\n", encoding="utf-8")
    bin = folder / "env" / "bin"
    for name, code in _SCRIPTS.items():
        script = code.format(ruff=str(Path(sys.executable).with_name("ruff")))
        (bin / name).write_text(f"#!{bin / 'python'}\n{script}\n", encoding="utf-8")
        (bin / name).chmod(0o755)
    (folder / "work").mkdir()
    return Workbench(folder / "work", bin)
