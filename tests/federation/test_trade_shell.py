"""Sales and orders across instances from the shell, for people without a program of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from commensal import Query
from commensal.base.languages.catalogs import spaced
from commensal.instance import instance as opening
from commensal.parts.terminal.shell import told
from commensal_federation.commands import commands
from commensal_federation.moving.work import recovery_warnings
from commensal_federation.orders.reports import reports
from commensal_federation.proposals.receiving import proposals_of
from commensal_federation.testing import Region

from .trading import Hub, Place, Producer, clock_of, close, folder_at, minutes, only_order

PEERS = ("ab",)
Shell = Callable[..., Result]


@pytest.fixture
def hub(farm: Producer, hub: Hub) -> Hub:
    farm.grant(hub)
    return hub


@pytest.fixture
def shell(region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """``shell(farm, "order", "list")``: runs a command at this enterprise's instance, by the region's clock."""
    monkeypatch.setattr(opening, "SystemClock", lambda: clock_of(region))
    app = typer.Typer()
    commands(app)

    def run(place: Place, group: str, word: str, *words: str, fails: bool = False) -> Result:
        folder = folder_at(region, place.at, tmp_path / f"at-{place.at}")
        result = CliRunner().invoke(app, [group, word, place.id, *words, "--instance", str(folder)])
        assert (result.exit_code != 0) == fails, result.output
        region.work()
        return result

    return run


def order_and_close(hub: Hub, farm: Producer, pieces: int) -> str:
    """A customer orders, and the sale closes. Returns the id of the order at the farm."""
    hub.order(hub.sell(farm), pieces)
    close(farm.region)
    return only_order(farm).id


def test_a_producer_reads_an_order_and_says_that_less_will_come(farm: Producer, hub: Hub, shell: Shell) -> None:
    id = order_and_close(hub, farm, 5)
    hub.trust()
    assert f"{id}  " in shell(farm, "order", "list").output
    options = ("--line", "Apples=4", "--weighed", "Apples=4.2", "--reason", "hail")
    output = shell(farm, "order", "answer", id, *options).output
    assert "4 of 5 Apples at €20.00, weighed 4.2 Piece: €80.00" in output, "the hub weighs what it pays"
    assert "Apples: hail" in output
    hub_output = shell(hub, "order", "show", only_order(hub).id).output
    assert hub_output.splitlines()[2:6] == output.splitlines()[2:6], "both print the same statement"
    assert "order 1, Ada, loses 1 Apples" in hub_output


def test_a_producer_with_a_french_shell_reads_an_order_in_french(
    farm: Producer, hub: Hub, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = order_and_close(hub, farm, 5)
    hub.trust()
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    output = shell(farm, "order", "answer", id, "--line", "Apples=4").output
    assert spaced("fr", "de hub : elle est complète") in output
    assert spaced("fr", "4 sur 5 Apples à €20.00 : €80.00") in output
    assert spaced("fr", "En tout : ") in output
    assert "la commande 1, Ada, perd 1 Apples" in shell(hub, "order", "show", only_order(hub).id).output
    slip = shell(farm, "order", "answer", id, "--line", "Pears=4", fails=True).output
    assert "Pears n’est pas dans cette commande ; il y a : Apples" in " ".join(slip.replace("│", " ").split())
    with farm.read() as tx:
        assert "n’a pas de clé de secours" in told(next(recovery_warnings(farm.federation, tx)))


def test_a_slip_in_an_answer_is_named_and_says_nothing(farm: Producer, hub: Hub, shell: Shell) -> None:
    id = order_and_close(hub, farm, 5)
    order_before = only_order(farm)
    for line_option, message in (
        ("Pears=4", "not in this order, which has: Apples"),
        ("Apples", "is not written like 'Apples=4'"),
        ("Apples=1.5", "comes in whole pieces"),
        ("Apples=9", "pieces"),
    ):
        result = shell(farm, "order", "answer", id, "--line", line_option, fails=True)
        assert message in " ".join(result.output.replace("│", " ").split()) + str(result.exception)
    assert only_order(farm) == order_before


def test_a_hub_notes_that_it_has_given_back_what_was_owed(farm: Producer, hub: Hub, shell: Shell) -> None:
    id = order_and_close(hub, farm, 5)
    hub.trust()
    shell(farm, "order", "answer", id, "--line", "Apples=4")
    (cut_line,) = [
        text for text in shell(hub, "order", "show", only_order(hub).id).output.splitlines() if "loses" in text
    ]
    assert "paid back" not in cut_line, "nothing was paid, so nothing is owed"
    assert "Settled." in shell(hub, "order", "settle", cut_line.split()[0]).output
    shell(hub, "order", "settle", cut_line.split()[0], fails=True)


def test_a_sale_is_proposed_accepted_and_withdrawn_from_the_shell(farm: Producer, hub: Hub, shell: Shell) -> None:
    hub.sell(farm)
    times = ("--closes", "2026-06-11 20:00", "--begins", "2026-06-12 17:00", "--ends", "2026-06-12 19:00")
    proposed = shell(farm, "sale", "propose", "Cherries", *times).output
    assert "Cherries, to hub: offered" in proposed
    assert "closes Thursday, 11 June 2026, 20:00" in " ".join(proposed.split())
    (id,) = [text.split()[0] for text in shell(hub, "sale", "list").output.splitlines() if "Cherries" in text]
    assert "accepted" in shell(hub, "sale", "accept", id).output
    (proposal_id,) = [text.split()[0] for text in shell(farm, "sale", "list").output.splitlines() if "accepted" in text]
    change = shell(
        farm, "sale", "propose", "Cherries", *times[:1], "2026-06-11 21:00", *times[2:], "--change", proposal_id
    )
    assert "Cherries" in change.output
    assert "withdrawn" in shell(farm, "sale", "withdraw", proposal_id).output
    assert "accepted" in shell(hub, "sale", "list").output, "who holds a sale already is told, and decides"
    shell(hub, "sale", "refuse", id, fails=True)


def test_a_sale_at_no_moment_is_refused(farm: Producer, hub: Hub, shell: Shell) -> None:
    result = shell(
        farm, "sale", "propose", "Cherries", "--closes", "soon", "--begins", "20:00", "--ends", "21:00", fails=True
    )
    assert "--closes" in str(result.exception)
    minutes(farm.region)
    with hub.read() as tx:
        assert proposals_of(tx, "hub") == []


def test_who_grants_something_for_the_first_time_is_given_a_recovery_key_once(
    farm: Producer, hub: Hub, shell: Shell
) -> None:
    with farm.read() as tx:
        assert "`commensal federation move key farm`" in str(next(recovery_warnings(farm.federation, tx)))
    output = shell(farm, "grant", "give", hub.iri).output
    assert "z3u2" in output
    assert "give it to its owner on paper" in " ".join(output.split())
    assert "z3u2" not in shell(farm, "grant", "give", hub.iri, "--category", "Members", fails=True).output
    assert "z3u2" not in shell(farm, "grant", "give", hub.iri, "--resell").output
    with farm.read() as tx:
        assert list(recovery_warnings(farm.federation, tx)) == []


def test_a_producer_reads_and_prints_who_of_a_hubs_customers_may_be_named(
    farm: Producer, hub: Hub, shell: Shell
) -> None:
    item = hub.sell(farm)
    hub.pass_on_names()
    hub.order(item, 2, "Ada", consents=hub.asked(item))
    hub.order(item, 3, "Bea")
    minutes(farm.region)
    output = shell(farm, "order", "show", only_order(farm).id).output
    assert "  2 Apples for Ada\n" in output
    assert "Bea" not in output
    (report,) = reports("en")
    with farm.read() as tx:
        query = Query(
            tx=tx, enterprise_id="farm", enterprise_name="farm", currency="EUR", timezone="UTC", language="en", given={}
        )
        rows = [row[2:5] for row in report.rows(query)]
    assert rows == [["Ada", 2, "Apples"], ["others", 3, "Apples"]]
