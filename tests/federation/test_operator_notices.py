"""Operators get a mail about each broken rule and each condition of a peer, at most once a day."""

from __future__ import annotations

import re
import shlex
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer

from commensal import translate
from commensal.testing.texts import translations_in
from commensal_federation import commands
from commensal_federation.delivery.alerts import alert
from commensal_federation.leases.lender import force_return
from commensal_federation.notices import CONDITIONS, alert_title
from commensal_federation.notices.enterprise_wordings import hub_wordings, move_wordings, producer_wordings
from commensal_federation.notices.note import KINDS, wording
from commensal_federation.office.pages import office_pages
from commensal_federation.peering.deciding import revoke
from commensal_federation.testing import Region

from .reading_mail import farm, hub, mails_at, new_mails
from .restoring import Backup
from .trading import Hub, Producer, clock_of, minutes

__all__ = ["farm", "hub"]  # fixtures
PEERS = ("ab",)
OPERATORS_A = {"operator-fr@a.example", "operator-en@a.example"}
OPERATORS_B = {"operator-fr@b.example", "operator-en@b.example"}


@pytest.mark.parametrize("kind", sorted(CONDITIONS))
def test_each_condition_of_a_peer_is_mailed_to_each_operator_once_a_day(
    kind: str, region: Region, farm: Producer
) -> None:
    peer = region.peer("a", "b")
    for _ in range(5):
        with farm.write() as tx:
            alert(tx, peer.id, kind, "it said <so> {here}")
        clock_of(region).advance(seconds=20)
    mails = new_mails(farm, region)
    assert set(mails) == OPERATORS_A
    for language in ("fr", "en"):
        mail, texts = mails[f"operator-{language}@a.example"], wording(kind, partial(translate, language))
        values = {"peer": peer.name, "url": peer.base, "text": "it said <so> {here}"}
        text = " ".join(mail.text.split())
        assert mail.subject == " ".join(texts.subject.format(**values).split())
        assert len(mail.subject) <= 60
        for part in (texts.what, texts.meaning, texts.todo, *texts.commands):
            assert " ".join(part.format(**values).split()) in text
        assert "it said <so>" not in mail.html, "what a peer says is escaped"
    assert mails["operator-fr@a.example"].text != mails["operator-en@a.example"].text
    with farm.write() as tx:
        alert(tx, peer.id, kind, "once more")
    assert new_mails(farm, region) == {}
    clock_of(region).advance(days=1)
    assert set(new_mails(farm, region)) == OPERATORS_A


def test_every_kind_of_alert_is_mailed_to_operators_or_to_those_whom_it_concerns() -> None:
    """The kinds that alerts name are those of mails, apart from those for which somebody else is told."""
    told_to_enterprises = {
        "doubt": "order_waits",
        "late": "sold_late",
        "unsettled": "unsettled",
        "sale": "sale_changed",
        "item": "item_left_out",
    }
    assert set(told_to_enterprises.values()) <= set(KINDS)
    for kind in CONDITIONS | set(told_to_enterprises):
        assert alert_title(kind, str) != kind or kind == "away", f"{kind} has a title"
    kinds = set[str]()
    for file in Path(commands.__code__.co_filename).parent.rglob("*.py"):
        kinds |= set(re.findall(r'\balert\(\s*(?:self\._)?tx, [\w.]+, "(\w+)"', file.read_text(encoding="utf-8")))
    assert len(kinds) > 10
    assert kinds <= CONDITIONS | set(told_to_enterprises)


def test_commands_in_mails_are_commands_of_the_shell() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    commands(app)
    group: Any = typer.main.get_command(app)
    checked = 0
    for kind in (*KINDS, *CONDITIONS):
        for command in wording(kind, str).commands:
            program, *words = shlex.split(command)
            if program == "timedatectl":
                continue
            assert (program, words[0]) == ("commensal", "federation")
            node = group
            while hasattr(node, "commands"):
                word, *words = words[1:] if node is group else words
                assert word in node.commands, command
                node = node.commands[word]
            context = node.make_context(node.name, words, resilient_parsing=True)
            assert all(context.params[option.name] is not None for option in node.params if option.required), command
            checked += 1
    assert checked > 20


def test_mails_to_the_people_of_an_enterprise_name_pages_and_no_commands() -> None:
    """They have no shell; pages of the federation that a mail names are there."""
    paths = {page.path for page in office_pages()} | {"bring", "hubs", "orders", "money/suppliers"}
    of_enterprises = {**producer_wordings(str), **hub_wordings(str), **move_wordings(str)}
    assert {kind: texts.commands for kind, texts in of_enterprises.items() if texts.commands} == {}
    named = {texts.page for kind in (*KINDS, *CONDITIONS) if (texts := wording(kind, str)).page}
    assert named - paths == set()


def test_every_text_of_mails_is_in_french() -> None:
    file = Path(commands.__code__.co_filename).parent / "locale" / "fr" / "LC_MESSAGES" / "notices.po"
    translations = translations_in(file)
    for kind in (*KINDS, *CONDITIONS):
        texts = wording(kind, str)
        for text in (texts.subject, texts.what, texts.meaning, texts.todo):
            assert (text,) in translations
            assert translate("fr", text) != text or text == "{peer} ({url}): {text}"


def test_a_peer_that_does_not_answer_for_an_hour_is_told_to_operators_and_to_the_hub_that_sells_its_goods(
    region: Region, farm: Producer, hub: Hub
) -> None:
    farm.grant(hub)
    item = hub.sell(farm)
    minutes(region, 2)
    new_mails(hub, region)
    region.cut("a", "b")
    hub.order(item, 1)
    minutes(region, 40)
    assert new_mails(hub, region) == {}, "an instance that restarts is not news"
    minutes(region, 40)
    mails = new_mails(hub, region)
    assert set(mails) == OPERATORS_B | {"owner@hub.example", "manager@hub.example"}
    operator, manager = mails["operator-en@b.example"], mails["manager@hub.example"]
    assert operator.subject == "Instance A does not answer"
    assert "commensal federation peer probe https://a.example" in operator.text
    assert manager.subject == "farm cannot be reached"
    assert "Instance A, the instance of farm, has not answered since Thursday" in manager.text
    assert "The sale Vente de juin of hub is open until Friday" in " ".join(manager.text.split())
    assert "Call the producer" in manager.text
    assert mails["owner@hub.example"].subject == "farm est injoignable"
    minutes(region, 60)
    assert new_mails(hub, region) == {}, "once a day"


def test_a_peer_that_is_only_silent_is_not_away(region: Region, farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    minutes(region, 2)
    new_mails(hub, region)
    for _ in range(12):
        clock_of(region).advance(minutes=20)
        minutes(region, 1)
    assert new_mails(hub, region) == {}


def test_who_is_revoked_reads_it_with_what_is_left_to_settle(region: Region, farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)
    minutes(region, 2)
    new_mails(hub, region)
    with farm.write() as tx:
        revoke(farm.federation, tx, region.peer("a", "b").id, reason="the season is over")
    region.work()
    minutes(region, 4)
    subjects = {(mail.to.partition("@")[0], mail.subject) for mail in mails_at(hub)}
    assert ("operator-en", "Instance A has ended the trade") in subjects
    assert ("operator-fr", "Instance A a mis fin aux échanges") in subjects
    assert ("manager", "farm: goods taken off sale") in subjects
    assert ("manager", "Instance A: an order is left to settle") in subjects
    assert ("owner", "Instance A : une commande reste à régler") in subjects
    assert "Instance B: an order is left to settle" in {mail.subject for mail in mails_at(farm)}, "on both sides"


def test_after_a_restore_operators_read_which_stock_waits_for_which_peer(
    region: Region, farm: Producer, hub: Hub, tmp_path: Path
) -> None:
    farm.grant(hub)
    item = hub.sell(farm)
    minutes(region, 2)
    backup = Backup(farm, tmp_path)
    hub.order(item, 40)
    new_mails(farm, region)
    region.cut("a", "b")
    backup.restore()
    minutes(region, 3)
    mails = new_mails(farm, region)
    mail = mails["operator-en@a.example"]
    assert mail.subject == "Instance B holds up sales after the restore"
    assert "Apples is not sold or lent until it answers" in " ".join(mail.text.split())
    assert "commensal federation peer go-on-without https://b.example" in mail.text
    assert f"{farm.federation.base}/office/instance/peers/{region.peer('a', 'b').id}" in mail.text
    assert mails["operator-fr@a.example"].subject == "Instance B bloque des ventes après la restauration"


def test_what_was_sold_without_a_lease_is_told_to_both_sides(region: Region, farm: Producer, hub: Hub) -> None:
    farm.grant(hub)
    item = hub.sell(farm)
    minutes(region, 2)
    new_mails(hub, region)
    new_mails(farm, region)
    region.cut("a", "b")
    hub.order(item, 3)
    (lease,) = farm.leases()
    with farm.write() as tx:
        force_return(farm.federation, tx, lease.id)
    region.mend()
    clock_of(region).advance(minutes=5)
    minutes(region, 4)
    mails = new_mails(hub, region)
    assert mails["manager@hub.example"].subject == "Apples: sold more than Instance A has lent"
    assert "hub has sold 3 Piece of Apples" in mails["manager@hub.example"].text
    assert mails["owner@hub.example"].subject == "Apples : vendu au-delà de ce que Instance A réserve"
    late = [mail for mail in mails_at(farm) if mail.to == "manager@farm.example"]
    assert [mail.subject for mail in late] == ["Instance B has sold more than it may"]
    assert f"{farm.federation.base}/office/farm/bring/elsewhere" in late[0].text
