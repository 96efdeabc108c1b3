"""What servers install has licences that go with ours, and an audit that reached nobody does not say "all is well"."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from release import audit


def test_every_licence_of_what_servers_install_goes_with_ours() -> None:
    licences = dict(audit.licences(audit.components()))
    assert len(licences) > 70
    assert {name: licence for name, licence in licences.items() if not audit.is_compatible(licence)} == {}


@pytest.mark.parametrize(
    ("licence", "compatible"),
    [
        ("MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("LicenseRef-Ours OR MIT", True),
        ("MIT AND LicenseRef-Ours", False),
        ("SSPL-1.0", False),
        ("", False),
    ],
)
def test_a_licence_may_be_joined_with_ours_or_not(licence: str, compatible: bool) -> None:
    assert audit.is_compatible(licence) is compatible


def pip_audit(folder: Path, text: str) -> Path:
    """A command that reports `text`."""
    (folder / "report").write_text(text)
    command = folder / "pip-audit"
    command.write_text(f"#!/bin/sh\ncat {folder}/report\n")
    command.chmod(0o755)
    return command


@pytest.mark.parametrize(
    ("report", "code", "printed"),
    [
        (
            '{"dependencies": [{"name": "h11", "version": "0.14", "vulns": [{"id": "CVE-2025-43859", '
            '"fix_versions": ["0.16"]}]}]}',
            1,
            "h11 0.14: CVE-2025-43859, mended in 0.16",
        ),
        ('{"dependencies": [{"name": "h11", "version": "0.16", "vulns": []}]}', 0, "No weakness is known of 1"),
        ('{"dependencies": [{"name": "h11", "skip_reason": "not found"}]}', 0, "Weaknesses: SKIPPED"),
        ("", 0, "Weaknesses: SKIPPED"),
    ],
)
def test_an_audit_tells_what_is_known_from_what_nobody_said(
    report: str, code: int, printed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(pip_audit(tmp_path, report), Path(sys.executable)) == code
    assert printed in capsys.readouterr().out
