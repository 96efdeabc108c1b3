"""The package for YunoHost: its scripts run as YunoHost runs them, with helpers of our own in the place of YunoHost's.

The helpers do what those of version 2.1 are documented to do, in a folder instead of the whole machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .environments import ROOT, Beside
from .processes import wait_until

PACKAGE = ROOT / "core/install/yunohost"
OLD, NEW = "7.0.0", "7.0.1"
SCRIPTS = ("install", "remove", "upgrade", "backup", "restore", "change_url")

HELPERS = r"""
set -eu
render() { # __NAME__ becomes the value of $name
    local text name
    text=$(cat "$1")
    for name in app domain port install_dir data_dir instance; do text=${text//__${name^^}__/${!name}}; done
    mkdir -p "$(dirname "$ROOT$2")"
    printf '%s\n' "$text" >"$ROOT$2"
}
ynh_script_progression() { echo "$1"; }
ynh_print_info() { echo "$1"; }
ynh_exec_as_app() { "$@"; }
ynh_systemctl() { systemctl "${2#--action=}" "${1#--service=}"; }
ynh_config_add_systemd() {
    local service=$app template=systemd.service word
    for word; do case $word in --service=*) service=${word#*=} ;; --template=*) template=${word#*=} ;; esac; done
    render "../conf/$template" "/etc/systemd/system/$service.service"
}
ynh_config_remove_systemd() { systemctl stop "$1"; rm -f "$ROOT/etc/systemd/system/$1.service"; }
ynh_config_add_nginx() { render ../conf/nginx.conf "/etc/nginx/conf.d/$domain.d/$app.conf"; }
ynh_config_remove_nginx() { rm "$ROOT/etc/nginx/conf.d/$domain.d/$app.conf"; }
ynh_config_change_url_nginx() { rm "$ROOT/etc/nginx/conf.d/$old_domain.d/$app.conf"; ynh_config_add_nginx; }
real() { case $1 in /etc/*) echo "$ROOT$1" ;; *) echo "$1" ;; esac; }
ynh_backup() { [ -e "$(real "$1")" ]; mkdir -p "$ARCHIVE$(dirname "$1")"; cp -a "$(real "$1")" "$ARCHIVE$1"; }
ynh_restore() {
    rm -rf "$(real "$1")"
    mkdir -p "$(dirname "$(real "$1")")"
    cp -a "$ARCHIVE$1" "$(real "$1")"
}
yunohost() { case "$2" in status) grep -qs "^$3$" "$ROOT/services" ;; add) echo "$3" >>"$ROOT/services" ;; esac; }
chown() { true; }
"""


class YunoHost:
    """A machine that runs the scripts of the package, with `root` as its /etc."""

    def __init__(self, beside: Beside) -> None:
        self.beside, self.root, self.domain = beside, beside.folder / "root", "val.example"
        self.archive, self.package = beside.folder / "archive", beside.folder / "package"
        self.root.mkdir()
        shutil.copytree(PACKAGE, self.package)
        (self.package / "helpers").write_text(HELPERS)
        for script in (self.package / "scripts").iterdir():
            script.write_text(script.read_text().replace("/usr/share/yunohost/helpers", "../helpers"))
        (self.package / "settings").mkdir()
        (self.package / "settings/scripts").symlink_to("../scripts")

    def put_wheel(self, wheel: Path) -> None:
        for older in (self.package / "conf").glob("*.whl"):
            older.unlink()
        shutil.copy(wheel, self.package / "conf")

    def run(self, script: str, **values: str) -> str:
        variables = {
            "app": "commensal",
            "domain": self.domain,
            "port": str(self.beside.port),
            "ROOT": str(self.root),
            "install_dir": str(self.beside.program.folder),
            "data_dir": str(self.beside.instance.parent),
            "ARCHIVE": str(self.archive),
            "language": "fr",
            "operator": "marie@val.example",
            **values,
        }
        result = subprocess.run(
            ["bash", f"./{script}"],
            cwd=self.package / "scripts",
            env=self.beside.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, f"{script}: {result.stdout}"
        return result.stdout

    def file(self, path: str) -> Path:
        return self.root / path


@pytest.fixture
def yunohost(tmp_path: Path) -> Iterator[YunoHost]:
    beside = Beside(tmp_path, place="data/instance")
    beside.environment["COMMENSAL_PLUGINS__ENABLED"] = '["cash", "federation", "weekly"]'
    try:
        beside.add_version(NEW, 2)
        yield YunoHost(beside)
    finally:
        beside.close()


@pytest.mark.long
def test_the_package_is_installed_moved_upgraded_backed_up_and_restored(yunohost: YunoHost) -> None:
    beside = yunohost.beside
    yunohost.put_wheel(beside.add_version(OLD, 1))
    (beside.folder / "data").mkdir()
    assert "sets a password here" in yunohost.run("install")
    wait_until(lambda: beside.health() == "ok", "the instance serves")
    settings = tomllib.loads((beside.instance / "instance.toml").read_text())
    assert settings["mail"] == {"sender": "commensal@val.example", "host": "127.0.0.1", "port": 25, "security": "none"}
    unit = yunohost.file("etc/systemd/system/commensal-work.service").read_text()
    assert f"/current/bin/commensal work --instance {beside.instance}\n" in unit
    assert (
        f"proxy_pass http://127.0.0.1:{beside.port};"
        in yunohost.file(f"etc/nginx/conf.d/{yunohost.domain}.d/commensal.conf").read_text()
    )

    yunohost.run("change_url", old_domain="val.example", new_domain="paniers.example", domain="paniers.example")
    yunohost.domain = "paniers.example"
    settings = tomllib.loads((beside.instance / "instance.toml").read_text())
    assert (settings["base_url"], settings["mail"]["sender"]) == (
        "https://paniers.example",
        "commensal@paniers.example",
    )
    wait_until(lambda: beside.health() == "ok", "the instance serves")

    beside.set_up_shop()
    order = beside.place_order()
    yunohost.run("backup")
    assert list(yunohost.archive.rglob("commensal.db")) == []
    yunohost.put_wheel(beside.folder / f"commensal-{NEW}-py3-none-any.whl")
    assert "Nobody was served for" in yunohost.run("upgrade")
    wait_until(lambda: beside.health() == "ok", "the instance serves")
    assert (beside.program.current, beside.revisions()) == (NEW, 2)

    yunohost.run("remove")
    assert (beside.health(), yunohost.file("etc/systemd/system/commensal.service").exists()) == ("", False)
    shutil.rmtree(beside.instance.parent)
    shutil.rmtree(beside.program.folder)
    yunohost.run("restore")
    wait_until(lambda: beside.health() == "ok", "the instance serves")
    assert (beside.program.current, beside.revisions(), beside.orders()) == (OLD, 1, {order})
    assert (beside.instance / "keys").is_dir()
    assert beside.run("check").returncode == 0


def test_the_manifest_has_what_yunohost_asks_for() -> None:
    manifest = tomllib.loads((PACKAGE / "manifest.toml").read_text())
    assert (manifest["packaging_format"], manifest["id"]) == (2, "commensal")
    assert re.fullmatch(r"[\d.]+~ynh\d+", manifest["version"])
    for text in (manifest["description"], *(q["ask"] for q in manifest["install"].values() if "ask" in q)):
        assert set(text) == {"en", "fr"}
    assert {"system_user", "install_dir", "data_dir", "ports", "permissions", "apt"} == set(manifest["resources"])
    assert all((PACKAGE / "scripts" / script).stat().st_mode & 0o111 for script in SCRIPTS)


@pytest.mark.skipif(shutil.which("shellcheck") is None and "CI" not in os.environ, reason="there is no shellcheck")
def test_shellcheck_finds_nothing_in_the_scripts() -> None:
    scripts = [PACKAGE / "scripts" / script for script in (*SCRIPTS, "_common.sh")]
    subprocess.run(["shellcheck", "--severity=warning", *scripts], check=True)
