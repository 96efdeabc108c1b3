"""Audits what servers install: known weaknesses, and licences that do not go with ours. `make audit` runs it.

Weaknesses are asked of the index of packages, by pip-audit. Where it does not answer, that is said, and is not success:
"nothing is known" and "nobody could be asked" are different things.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).with_name("constraints.txt")

# Licences that may be combined with the AGPL 3.0 (gnu.org/licenses/license-list.html): as SPDX calls them, and as older
# packages do; both without parentheses.
COMPATIBLE = frozenset(
    {
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "LGPL-3.0-only",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "Apache Software License",
        "BSD License",
        "ISC License ISCL",
        "MIT License",
        "GNU Lesser General Public License v2 or later LGPLv2+",
        "Mozilla Public License 2.0 MPL 2.0",
        "Python Software Foundation License",
        "The Unlicense Unlicense",
    }
)


def components(constraints: Path = CONSTRAINTS) -> list[str]:
    """The names of what a server installs."""
    return re.findall(r"^([\w.-]+)==", constraints.read_text("utf-8"), re.MULTILINE)


def licences(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and licence of each component that is installed here; those of other systems are not."""
    for name in names:
        try:
            about = metadata(name)
        except PackageNotFoundError:
            continue
        texts = {key: about.get_all(key) or [] for key in ("License-Expression", "Classifier", "License")}
        classes = [text.rpartition(" :: ")[2] for text in texts["Classifier"] if text.startswith("License ::")]
        yield name, " OR ".join(texts["License-Expression"] or classes or texts["License"])


def is_compatible(licence: str) -> bool:
    """Whether a licence may be combined with ours: every part that is joined by AND, one of those joined by OR."""
    parts = re.sub("[()]", "", licence).split(" AND ")
    return all(any(choice in COMPATIBLE for choice in part.split(" OR ")) for part in parts)


def weaknesses(report: Mapping[str, Any]) -> tuple[list[str], int]:
    """What pip-audit's report (JSON) says: a line for each known weakness, and how many components it asked about."""
    audited = [component for component in report["dependencies"] if "skip_reason" not in component]
    lines = [
        f"{component['name']} {component['version']}: {known['id']}, mended in "
        f"{', '.join(known['fix_versions']) or 'no version yet'}"
        for component in audited
        for known in component["vulns"]
    ]
    return lines, len(audited)


def ask(pip_audit: Path, python: Path) -> Mapping[str, Any]:
    """The report about what is installed for that interpreter. Raises `OSError` if there is none."""
    result = subprocess.run(  # noqa: S603
        [pip_audit, "--format=json", "--skip-editable", "--progress-spinner=off"],
        env={**os.environ, "PIPAPI_PYTHON_LOCATION": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        report: Mapping[str, Any] = json.loads(result.stdout)
    except ValueError:
        raise OSError(result.stderr.strip()[-500:]) from None
    return report


def main(pip_audit: Path, python: Path) -> int:
    """Prints both audits. Returns 1 if something is wrong, and 0 also where nobody could be asked."""
    strange = [
        f"{name}: {licence or 'no licence'}" for name, licence in licences(components()) if not is_compatible(licence)
    ]
    print("\n".join(["Licences that must be looked at:", *strange]) if strange else "All licences go with the AGPL.")
    try:
        lines, count = weaknesses(ask(pip_audit, python))
    except OSError as error:
        lines, count = [], 0
        print(error)
    if not count:
        print("Weaknesses: SKIPPED. The index of packages tells nothing here; ask again from another network.")
    elif lines:
        print("\n".join(["Known weaknesses:", *lines]))
    else:
        print(f"No weakness is known of {count} components.")
    return int(bool(strange or lines))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
