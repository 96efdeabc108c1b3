"""Sales and orders across instances from the shell, by people who have no program of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from commensal import Query
from commensal.base.languages.shell import told
from commensal.instance import instance as opening
from commensal_federation.commands import commands
from commensal_federation.moving.alarms import recovery_warnings
from commensal_federation.orders.reports import reports
from commensal_federation.proposals.receiving import proposals_of
from commensal_federation.testing import Region

from .conftest import NewRegion
from .trading import Hub, Place, Producer, a_region, clock_of, close, folder_at, minutes, the_order

Shell = Callable[..., Result]


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    return a_region(new_region, "ab")


@pytest.fixture
def hub(farm: Producer, hub: Hub) -> Hub:
    farm.grant(hub)
    return hub


@pytest.fixture
def shell(region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """``shell(farm, "order", "list")``: at the instance and for the enterprise of this place, by the region's clock."""
    monkeypatch.setattr(opening, "SystemClock", lambda: clock_of(region))
    app = typer.Typer()
    commands(app)

    def run(place: Place, group: str, word: str, *words: str, fails: bool = False) -> Result:
        folder = folder_at(region, place.at, tmp_path / f"at-{place.at}")
        ran = CliRunner().invoke(app, [group, word, place.id, *words, "--instance", str(folder)])
        assert (ran.exit_code != 0) == fails, ran.output
        region.work()
        return ran

    return run


def ordered(hub: Hub, farm: Producer, pieces: int) -> str:
    """What a customer orders, up to the close of the sale. The id of the order at the farm."""
    hub.order(hub.sell(farm), pieces)
    close(farm.region)
    return the_order(farm).id


def test_a_producer_reads_an_order_and_says_that_less_will_come(farm: Producer, hub: Hub, shell: Shell) -> None:
    id = ordered(hub, farm, 5)
    assert f"{id}  " in shell(farm, "order", "list").output
    told = ("--line", "Apples=4", "--weighed", "Apples=4.2", "--reason", "hail")
    said = shell(farm, "order", "answer", id, *told).output
    assert "4 of 5 Apples at €20.00, weighed 4.2 Piece: €84.00" in said
    assert "Apples: hail" in said
    there = shell(hub, "order", "show", the_order(hub).id).output
    assert there.splitlines()[2:6] == said.splitlines()[2:6], "both print the same statement"
    assert "order 1, Ada, loses 1 Apples" in there


def test_a_producer_with_a_french_shell_reads_an_order_in_french(
    farm: Producer, hub: Hub, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = ordered(hub, farm, 5)
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    said = shell(farm, "order", "answer", id, "--line", "Apples=4").output
    assert "de hub : elle est complète" in said
    assert "4 sur 5 Apples à €20.00 : €80.00" in said
    assert "En tout : " in said
    assert "la commande 1, Ada, perd 1 Apples" in shell(hub, "order", "show", the_order(hub).id).output
    slip = shell(farm, "order", "answer", id, "--line", "Pears=4", fails=True).output
    assert "Pears n’est pas dans cette commande ; il y a : Apples" in " ".join(slip.replace("│", " ").split())
    with farm.read() as tx:
        assert "n’a pas de clé de secours" in told(next(recovery_warnings(farm.federation, tx)))


def test_a_slip_in_an_answer_is_named_and_says_nothing(farm: Producer, hub: Hub, shell: Shell) -> None:
    id = ordered(hub, farm, 5)
    before = the_order(farm)
    for said, complaint in (
        ("Pears=4", "not in this order; there are: Apples"),
        ("Apples", "is not written like 'Apples=4'"),
        ("Apples=1.5", "comes in whole pieces"),
        ("Apples=9", "pieces"),
    ):
        ran = shell(farm, "order", "answer", id, "--line", said, fails=True)
        assert complaint in " ".join(ran.output.replace("│", " ").split()) + str(ran.exception)
    assert the_order(farm) == before


def test_a_hub_notes_that_it_has_given_back_what_was_owed(farm: Producer, hub: Hub, shell: Shell) -> None:
    id = ordered(hub, farm, 5)
    shell(farm, "order", "answer", id, "--line", "Apples=4")
    (cut,) = [text for text in shell(hub, "order", "show", the_order(hub).id).output.splitlines() if "loses" in text]
    assert "paid back" not in cut, "nothing was paid, so nothing is owed"
    assert "Settled." in shell(hub, "order", "settle", cut.split()[0]).output
    shell(hub, "order", "settle", cut.split()[0], fails=True)


def test_a_sale_is_proposed_accepted_and_withdrawn_from_the_shell(farm: Producer, hub: Hub, shell: Shell) -> None:
    hub.sell(farm)
    times = ("--closes", "2026-06-11 20:00", "--begins", "2026-06-12 17:00", "--ends", "2026-06-12 19:00")
    proposed = shell(farm, "sale", "propose", "Cherries", *times).output
    assert "Cherries, to hub: offered" in proposed
    assert "closes Thursday, 11 June 2026, 20:00" in " ".join(proposed.split())
    (id,) = [text.split()[0] for text in shell(hub, "sale", "list").output.splitlines() if "Cherries" in text]
    assert "accepted" in shell(hub, "sale", "accept", id).output
    (mine,) = [text.split()[0] for text in shell(farm, "sale", "list").output.splitlines() if "accepted" in text]
    moved = shell(farm, "sale", "propose", "Cherries", *times[:1], "2026-06-11 21:00", *times[2:], "--change", mine)
    assert "Cherries" in moved.output
    assert "withdrawn" in shell(farm, "sale", "withdraw", mine).output
    assert "accepted" in shell(hub, "sale", "list").output, "who holds a sale already is told, and decides"
    shell(hub, "sale", "refuse", id, fails=True)


def test_a_sale_at_no_moment_is_refused(farm: Producer, hub: Hub, shell: Shell) -> None:
    ran = shell(
        farm, "sale", "propose", "Cherries", "--closes", "soon", "--begins", "20:00", "--ends", "21:00", fails=True
    )
    assert "--closes" in str(ran.exception)
    minutes(farm.region)
    with hub.read() as tx:
        assert proposals_of(tx, "hub") == []


def test_who_grants_something_for_the_first_time_is_given_a_recovery_key_once(
    farm: Producer, hub: Hub, shell: Shell
) -> None:
    with farm.read() as tx:
        assert "`commensal federation move key farm`" in str(next(recovery_warnings(farm.federation, tx)))
    given = shell(farm, "grant", "give", hub.iri).output
    assert "z3u2" in given
    assert "give it to its owner on paper" in " ".join(given.split())
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
    said = shell(farm, "order", "show", the_order(farm).id).output
    assert "  2 Apples for Ada\n" in said
    assert "Bea" not in said
    (report,) = reports("en")
    with farm.read() as tx:
        query = Query(
            tx=tx, enterprise_id="farm", enterprise_name="farm", currency="EUR", timezone="UTC", language="en", given={}
        )
        rows = [row[2:5] for row in report.rows(query)]
    assert rows == [["Ada", 2, "Apples"], ["others", 3, "Apples"]]
