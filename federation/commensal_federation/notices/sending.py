"""Mails what was noted: soon, in one mail for each recipient and kind, and no more often than the kind's pause allows.

A notice waits a moment (`note.GRACE`), so that a hundred of one kind make one mail. After a mail about a peer, further
notices of that kind about it wait until the pause is over; nothing is lost by that.
"""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import bindparam, delete, func, select, update

from commensal import Periodic, Recipient, Row, Transaction, Work, enterprise_by_id, mail_people, translate
from commensal.parts.mail import members_who_may, operators

from ..peers.peers import Peer, peer_by_id
from .note import Wording, pause_of, scope_of, show_values, wording, write_values
from .tables import federation_notice

TEMPLATE = "federation_notice"
KEPT = timedelta(days=60)  # a notice that was mailed
LISTED = 20  # notices that one mail spells out
_row = federation_notice.c
_GROUP = [_row.enterprise_id, _row.kind, _row.peer_id]
_OF_GROUP = (_row.enterprise_id == bindparam("of"), _row.kind == bindparam("about"), _row.peer_id == bindparam("with"))
_DUE = select(*_GROUP).where(_row.waiting, _row.due_at <= bindparam("now")).distinct().order_by(*_GROUP)
_LAST_MAILED = select(func.max(_row.mailed_at)).where(*_OF_GROUP)
_COUNT = select(func.count()).where(*_OF_GROUP, _row.waiting)
_FIRST = select(federation_notice).where(*_OF_GROUP, _row.waiting).order_by(_row.due_at, _row.subject_id).limit(LISTED)
_CHANGE = update(federation_notice).where(*_OF_GROUP, _row.waiting)


def work() -> Work:
    return Work(
        {},
        (
            Periodic("federation.notices", timedelta(minutes=1), mail_notices),
            Periodic("federation.forget_notices", timedelta(days=1), forget_mailed, irreversible=True),
        ),
    )


def mail_notices(tx: Transaction) -> None:
    """Enqueues the mails that are due: one for each recipient and kind, about all peers."""
    groups = defaultdict[tuple[str, str], list[Row]](list)
    counts: Counter[tuple[str, str]] = Counter()
    for group in tx.all(_DUE, {"now": tx.now}):
        audience = group["enterprise_id"], group["kind"]
        key = {"of": group["enterprise_id"], "about": group["kind"], "with": group["peer_id"]}
        last = tx.value(_LAST_MAILED, key)
        if last is not None and last + pause_of(group["kind"]) > tx.now:
            tx.change(_CHANGE, {**key, "due_at": last + pause_of(group["kind"])})
            continue
        groups[audience] += tx.all(_FIRST, key)
        counts[audience] += tx.value(_COUNT, key)
        tx.change(_CHANGE, {**key, "waiting": False, "mailed_at": tx.now})
    for (enterprise_id, kind), rows in groups.items():
        mail_people(tx, TEMPLATE, _mails(tx, enterprise_id, kind, rows[:LISTED], counts[enterprise_id, kind]))


def mail_one(tx: Transaction, to: Recipient, kind: str, peer: Peer, page: str, **values: object) -> None:
    """Promises a mail to one person at once, with a link to a page of this site."""
    texts = wording(kind, partial(translate, to.language))
    common = {"enterprise": "", "peer": peer.name, "url": peer.base}
    line = {**common, **show_values(write_values(values), to.language, "UTC")}
    mail_people(tx, TEMPLATE, [(to, _mail(texts, [line], 1, page))])


def forget_mailed(tx: Transaction) -> None:
    """Deletes old notices; the newest of a kind is older than every pause by then."""
    tx.execute(delete(federation_notice).where(~_row.waiting, _row.mailed_at < tx.now - KEPT))


def _mails(
    tx: Transaction, enterprise_id: str, kind: str, rows: Sequence[Row], count: int
) -> Iterator[tuple[Recipient, Mapping[str, object]]]:
    """Yields each recipient with the values of the template: all texts, in the recipient's language."""
    common, office = {"enterprise": ""}, "office/instance/"
    timezone = "UTC"
    if enterprise_id:
        ours = enterprise_by_id(tx, enterprise_id)
        common, timezone = {"enterprise": ours.name}, ours.timezone
        office = f"office/{ours.id}/"
        recipients = members_who_may(tx, enterprise_id, scope_of(kind))
    else:
        recipients = operators(tx)
    peers = {peer_id: peer_by_id(tx, peer_id) for peer_id in {row["peer_id"] for row in rows} if peer_id}
    page_of_peers = "" if enterprise_id else f"peers/{next(iter(peers))}" if len(peers) == 1 else "peers"
    for recipient in recipients:
        texts = wording(kind, partial(translate, recipient.language))
        values = [
            {
                **common,
                **_of_peer(peers.get(row["peer_id"])),
                **show_values(row["details"], recipient.language, timezone),
            }
            for row in rows
        ]
        page = texts.page or page_of_peers
        yield recipient, _mail(texts, values, count, f"{office}{page}" if page else "")


def _of_peer(peer: Peer | None) -> Mapping[str, str]:
    """Its name and address; nothing of a platform, which is none."""
    return {"peer": "", "url": ""} if peer is None else {"peer": peer.name, "url": peer.base}


def _mail(texts: Wording, values: Sequence[Mapping[str, str]], count: int, page: str) -> dict[str, object]:
    more = f" (+{count - 1})" if count > 1 else ""
    return {
        "subject": texts.subject.format(**values[0]) + more,
        "happened": [
            {"what": texts.what.format(**line), "commands": _commands(texts.commands, line)} for line in values
        ],
        "left_out": count - len(values),
        "meaning": texts.meaning.format(**values[0]),
        "todo": texts.todo.format(**values[0]),
        "page": page,
    }


def _commands(commands: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The commands with their values, which are quoted for the shell: some were written by a peer."""
    quoted = {name: shlex.quote(value) for name, value in values.items()}
    return [command.format(**quoted) for command in commands]
