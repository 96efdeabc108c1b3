"""Peers and messages from the shell, as an operator types it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from commensal.parts.cli import app
from commensal_federation.identity import fingerprint_of
from commensal_federation.identity.keys import our_keys
from commensal_federation.peering import commands
from commensal_federation.peers.peers import fingerprint
from commensal_federation.testing import Region

from .trading import folder_at


class Shell:
    """The shell at one of the instances: ``shell("peer list")``."""

    def __init__(self, region: Region, name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder_at(region, name, folder)
        monkeypatch.setattr(commands, "open_federation", lambda _: nullcontext(region[name]))

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["federation", *words, "--instance", str(self.folder)])


def test_an_operator_agrees_lists_and_ends(new_region: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    region = new_region("a", "b")
    a = Shell(region, "a", monkeypatch, tmp_path / "at-a")
    unheard = a("peer", "add", "https://b.example", "--fingerprint", " ")
    assert "Compare the fingerprint with its operator first." in str(unheard.exception)
    assert a("peer", "add", "https://b.example").exit_code == 1, "it asks for the digits, and nobody types them"
    with pytest.raises(AssertionError, match="is not a peer"):
        region.peer("a", "b")
    with region["b"].instance.store.read() as tx:
        digits = fingerprint_of(region["b"].iri, our_keys(tx)[0].multikey)
    invitation = a("peer", "add", "https://b.example", "--scope", "catalogue.read", "--fingerprint", digits)
    assert invitation.exit_code == 0, invitation.output
    assert fingerprint(region.peer("a", "b")) in invitation.output
    region.work()
    b = Shell(region, "b", monkeypatch, tmp_path / "at-b")
    request_shown = b("peer", "show", "https://a.example").output
    assert "asks to do   catalogue.read, enterprise.move, order.names, order.place," in request_shown
    acceptance = b("peer", "accept", "https://a.example", "--fingerprint", fingerprint(region.peer("b", "a")))
    assert "accepted" in acceptance.output
    region.work()
    assert "https://a.example" in b("peer", "list").output
    assert "messages     6000" in b("peer", "limits", "https://a.example").output
    changed_limits = b("peer", "limits", "https://a.example", "--set", "messages=600", "--set", "lot_share=30")
    assert "messages     600\n" in changed_limits.output
    assert region.peer("b", "a").limits.lot_share == 30
    refusal = b("peer", "limits", "https://a.example", "--set", "message=1")
    assert refusal.exit_code == 2
    assert "not a limit like messages=600" in " ".join(refusal.output.split())
    assert b("peer", "scopes", "https://a.example", "--scope", "stock.lease").exit_code == 0
    scopes_shown = b("peer", "scopes", "https://a.example").output
    assert "may do here  stock.lease\n" in scopes_shown, "who only looks changes nothing"
    scopes_changed = b("peer", "scopes", "https://a.example", "--add", "transport", "--remove", "stock.lease").output
    assert "may do here  transport\n" in scopes_changed
    assert "transprot" in str(b("peer", "scopes", "https://a.example", "--add", "transprot").exception)
    assert region.peer("b", "a").scopes_given == {"transport"}
    for step, state in (("suspend", "suspended"), ("resume", "accepted"), ("revoke", "revoked")):
        assert state in b("peer", step, "https://a.example").output
    assert "https://a.example" in b("peer", "show", "https://a.example").output
    assert b("peer", "show", "https://c.example").exit_code != 0


def test_an_operator_proves_what_was_said(
    region: Region, say: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    id, refused_id = say("a", "b", "hello"), say("a", "b", "refuse")
    region.work()
    a = Shell(region, "a", monkeypatch, tmp_path)
    assert '"hello"' in a("message", "show", id).output
    assert id in a("message", "list").output
    assert id not in a("message", "list", "--type", "PeerRequest").output
    assert "The signature holds." in a("message", "verify", id).output
    assert refused_id in a("message", "dead").output
    assert "waiting" in a("message", "replay", refused_id).output
    region.work()
    assert refused_id not in a("message", "dead").output, "it is known there, and so it counts as delivered"
    (tmp_path / "keys").unlink()
    b = Shell(region, "b", monkeypatch, tmp_path)
    assert id in b("message", "list", "--in", "--number", "2").output
    assert "The signature holds." in b("message", "verify", id).output
    assert refused_id in b("message", "dead", "--in").output
    assert "evidence" in b("message", "discard", refused_id, "--in").output
    changed_id = _change_by_hand(region, id)
    assert b("message", "verify", changed_id).exit_code == 1
    assert "takes up" in a("restored").output


@pytest.mark.parametrize("words", ["suspend", "limits --set lot_share=7", "scopes --scope stock.lease", "revoke"])
def test_a_reader_that_closes_the_pipe_early_undoes_nothing(region: Region, tmp_path: Path, words: str) -> None:
    """As in ``commensal federation peer suspend … | head -2``, in a process of its own."""
    folder, peer_before = folder_at(region, "a", tmp_path / "at-a"), region.peer("a", "b")
    reading, writing = os.pipe()
    os.close(reading)
    command, *options = words.split()
    ran = subprocess.run(
        [
            Path(sys.executable).with_name("commensal"),
            "federation",
            "peer",
            command,
            region["b"].base,
            *options,
            "--instance",
            folder,
        ],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, ""), "it says by its status that nobody read it"
    after = region.peer("a", "b")
    assert (after.state, after.limits, after.scopes_given) != (
        peer_before.state,
        peer_before.limits,
        peer_before.scopes_given,
    )


def _change_by_hand(region: Region, id: str) -> str:
    """Changes the row by hand. Returns its id."""
    with region["b"].instance.store.write() as tx:
        tx.connection.exec_driver_sql("UPDATE federation_inbox SET body = replace(body, 'hello', 'hallo')")
    return id


def test_help_names_the_commands_that_plugins_bring_and_a_slip_is_answered_with_them() -> None:
    assert "Commands of plugins: dfc, keys, leases, message, peer." in CliRunner().invoke(app, ["--help"]).output
    slip = CliRunner().invoke(app, ["peers", "list"])
    assert (slip.exit_code, "Did you mean 'peer'" in slip.output) == (2, True)
