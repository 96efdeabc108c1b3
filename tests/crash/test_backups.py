"""Killed backups and restores: a half one is never taken for a whole one, what existed stays, and the next one
succeeds.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commensal.instance.instance import DATABASE
from commensal.parts.backups.archive import Archive
from commensal.parts.backups.upkeep.upkeep import backups_in

from .lifeline import KILLED, Lifeline
from .moments import ARRIVING, BACKING_UP, MIGRATING
from .promises import broken_promises
from .shoppers import Told


def _back_up(line: Lifeline, shop: Path, *, days: int = 0, keep: int = 14, **options: str) -> int:
    return line.run(
        "back_up_shop", folder=str(shop), to=str(shop.parent / "to"), later=days * 1440, keep=keep, **options
    )


def _all_whole(backups: list[Path]) -> bool:
    for backup in backups:
        with Archive.open(backup) as archive:
            archive.check()
    return True


@pytest.mark.parametrize("failpoint", BACKING_UP)
def test_a_killed_backup_leaves_none_that_is_not_whole(line: Lifeline, shop: Path, failpoint: str) -> None:
    to = shop.parent / "to"
    assert [_back_up(line, shop, days=day, keep=2) for day in (0, 1)] == [0, 0]
    backups_before = backups_in(to)
    assert _back_up(line, shop, days=2, keep=2, armed=f"{failpoint}:1") == KILLED
    backups_after = backups_in(to)
    assert _all_whole(backups_after)
    assert backups_after[-2:] == backups_before
    assert len(backups_after) == (3 if failpoint == "backup.named" else 2)
    assert broken_promises(shop, Told()) == []

    assert _back_up(line, shop, days=3, keep=2) == 0
    assert len(backups_in(to)) == 2
    assert _all_whole(backups_in(to))
    assert sorted(path.name for path in to.iterdir() if path not in backups_in(to)) == [".lock"]


def test_the_check_finds_a_backup_that_has_its_name_too_early(line: Lifeline, shop: Path) -> None:
    planted = "names_a_backup_before_it_is_written"
    assert _back_up(line, shop, planted=planted, armed="backup.copied:1") == KILLED
    with pytest.raises(Exception, match="damaged"):
        _all_whole(backups_in(shop.parent / "to"))


@pytest.mark.parametrize("moment", ARRIVING)
@pytest.mark.parametrize("do", ["restore_shop", "import_shop"])
def test_a_killed_arrival_leaves_no_instance_and_the_next_try_makes_it(
    line: Lifeline, shop: Path, do: str, moment: str
) -> None:
    file, new_folder = shop.parent / "shop.zip", shop.parent / "new"
    if do == "import_shop":
        assert line.run("export_shop", folder=str(shop), file=str(file)) == 0
    else:
        assert _back_up(line, shop) == 0
        shutil.copyfile(backups_in(shop.parent / "to")[0], file)
    assert line.run(do, file=str(file), folder=str(new_folder), armed=f"{moment}:1") == KILLED
    assert not new_folder.exists()
    assert line.run(do, file=str(file), folder=str(new_folder)) == 0
    assert broken_promises(new_folder, Told()) == []
    assert not list(shop.parent.glob(".new*"))


@pytest.mark.parametrize("moment", [f"{MIGRATING[-1]}:3", f"{ARRIVING[-1]}:1"])
def test_a_new_instance_that_was_killed_while_it_was_made_is_made_by_the_same_command(
    line: Lifeline, tmp_path: Path, moment: str
) -> None:
    folder = tmp_path / "shop"
    assert line.run("open_shop", folder=str(folder), armed=moment) == KILLED
    assert (folder / DATABASE).exists()
    assert line.run("open_shop", folder=str(folder)) == 0
    assert {file.name for file in folder.iterdir() if file.name.startswith(".")} == set()
    assert broken_promises(folder, Told()) == []
