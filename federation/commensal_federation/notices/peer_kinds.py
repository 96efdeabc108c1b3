"""What can be wrong with a peer: by kind, the line in lists, and the mail to operators; `text` is the alert's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# The texts of one kind of notice.


@dataclass(frozen=True)
class Wording:
    """subject:  of the mail; what matters, in about 40 characters
    what:     what happened; once for each notice
    meaning:  what it means for orders
    todo:     what the reader does
    commands: of the shell, for each notice; for operators alone: the people of an enterprise have no shell here
    page:     of the office, where the readers do it, below the address of their enterprise; for operators below that of
              the instance, and "": the page of the peer
    """

    subject: str
    what: str
    meaning: str
    todo: str
    commands: tuple[str, ...] = ()
    page: str = ""


_SHOW = ("commensal federation peer show {url}",)
_PROBE = ("commensal federation peer probe {url}",)
_DEAD = ("commensal federation message dead",)
_SUSPEND = ("commensal federation peer suspend {url}",)


@dataclass(frozen=True)
class PeerKind:
    """title: the line in lists, beside the peer's name; "" for what is not an alert
    mail:  what operators are mailed; None: the people of an enterprise are mailed instead, by whoever notices it
    """

    title: str
    mail: Wording | None


def peer_kinds(_: Callable[[str], str]) -> dict[str, PeerKind]:
    """All kinds, in the language of `_`."""
    return {**_about_reaching(_), **_about_trust(_), **_about_restores(_), **_about_trade(_)}


def operator_wordings(_: Callable[[str], str]) -> dict[str, Wording]:
    """The mails to operators by kind, in the language of `_`."""
    return {name: kind.mail for name, kind in peer_kinds(_).items() if kind.mail is not None}


def alert_title(kind: str, _: Callable[[str], str]) -> str:
    """What this kind of alert means, in the reader's language; what exactly happened is in English, as the other side
    said it."""
    known = peer_kinds(_).get(kind)
    return known.title if known is not None else kind


def _about_reaching(_: Callable[[str], str]) -> dict[str, PeerKind]:
    return {
        "away": PeerKind("", Wording(
            _("{peer} does not answer"),
            _("{peer} ({url}) has not answered since {text}."),
            _("Hubs sell only what they hold. Orders and answers wait and are sent when it is back; none is lost."),
            _("Call its operator. Look at your own network if several do not answer."),
            _PROBE,
        )),
        "refused": PeerKind(_("It refuses our requests."), Wording(
            _("{peer} refuses our messages"),
            _("{peer} ({url}) refuses our messages: {text}"),
            _("Orders and answers do not reach it, and its goods are not sold while it refuses us as a peer."),
            _("Call its operator: it has suspended us, or it does not know our keys, or one of the clocks is wrong."),
            _PROBE,
        )),
        "dead_letter": PeerKind(_("It has refused a message of ours."), Wording(
            _("{peer} refused a message"),
            _("{peer} ({url}) has refused a message for good: {text}"),
            _("What the message says has no effect there: an order, an answer or an item may be missing."),
            _("Find out why with its operator; then send it again or discard it."),
            (*_DEAD, "commensal federation message replay ID"),
            page="letters",
        )),
        "lost": PeerKind(_("Messages of it are lost, or cannot be read."), Wording(
            _("{peer}: messages are lost"),
            _("Messages of {peer} ({url}) cannot be read any more: {text}"),
            _("Orders or answers may be missing. The state of catalogues is compared and repaired by itself."),
            _("Compare the open orders of the last days with its operator."),
            _SHOW,
        )),
        "clock": PeerKind(_("Our clock and its differ: one of them is wrong."), Wording(
            _("{peer}: a clock is wrong"),
            _("{peer} ({url}) and this site take no messages of each other, because their clocks differ. {text}"),
            _("No message gets through until the clock is right; orders wait."),
            _("Set this machine's clock if it is wrong; else call its operator."),
            ("timedatectl set-ntp true", *_PROBE),
        )),
        "late": PeerKind(
            _("It has sold more than you had leased to it: grant it after all, or refuse the order's line."),
        Wording(
            _("{peer} has sold more than it may"),
            _("{peer} ({url}) has sold goods that pass through this instance: {text}"),
            _("Customers there have ordered what nobody has leased to it; the producer decides whether it comes."),
            _("Tell the producer's people and the hub's."),
            ("commensal federation leases",),
            page="leases",
        )),
        "grant": PeerKind(_("A grant that the restore had forgotten is made again: look at its prices."), Wording(
            _("{peer}: a grant was made again"),
            _("A grant that the backup did not know was made again for a hub at {peer} ({url}): {text}"),
            _("The hub buys at general prices until you give it its group of customers again."),
            _("Tell the producer's people. They give the grant again with its group."),
            ("commensal federation grant list",),
        )),
        "revoked": PeerKind(_("It has ended the trade."), Wording(
            _("{peer} has ended the trade"),
            _("{peer} ({url}) has ended the trade with this instance. {text}"),
            _("Its goods were taken off sale. The enterprises whose orders are not confirmed get a mail of their own."),
            _("Ask its operator why. To trade again, both agree anew."),
            ("commensal federation peer add {url}",),
        )),
    }  # fmt: skip


def _about_trust(_: Callable[[str], str]) -> dict[str, PeerKind]:
    return {
        "equivocation": PeerKind(_("It has contradicted itself: two messages with one number or id."), Wording(
            _("{peer} contradicts itself"),
            _("{peer} ({url}) has signed two different messages with one number or id: {text}"),
            _("The first one counts, the other was refused. Orders stand as they were."),
            _("Call its operator: two copies of it may be running. Suspend it until that is clear."),
            _SUSPEND,
        )),
        "not_ours": PeerKind(_("It claims messages of ours that we have not signed."), Wording(
            _("{peer} claims messages of ours"),
            _("{peer} ({url}) has given back as ours what we have not signed: {text}"),
            _("It was not taken. Orders stand as they were."),
            _("Call its operator. Suspend it until that is clear."),
            _SUSPEND,
        )),
        "forged": PeerKind(_("It offers goods that are not as their producer has signed: they were left out."), Wording(
            _("{peer} offers what the producer has not signed"),
            _("{peer} ({url}) offers goods that are not as their producer's signed statement says: {text}"),
            _("The item was left out. What was listed before stays listed, and orders stand as they were."),
            _("Call its operator, and the producer. Suspend it until that is clear."),
            _SUSPEND,
        )),
        "origin": PeerKind(
            _("Goods of an instance come through it, whose keys have changed: compare its fingerprint."),
        Wording(
            _("The instance of a producer has other keys"),
            _("Goods come through {peer} ({url}) from an instance with another root key than before: {text}"),
            _("Nothing new of it is listed. What is listed stays, and orders stand as they were."),
            _("Compare its fingerprint with its operator on the telephone; then trust the new keys."),
            ("commensal federation origin list", "commensal federation origin trust ADDRESS"),
        )),
        "document": PeerKind(_("Its document cannot be fetched, or is not signed by the key that you know."), Wording(
            _("{peer}: its document is not right"),
            _("The document of {peer} ({url}) cannot be fetched, or another root key has signed it: {text}"),
            _("If another key has signed it, the peer is suspended: none of its goods is sold, and no message passes."),
            _("Compare the fingerprint with its operator on the telephone; then resume the trade."),
            (*_SHOW, "commensal federation peer resume {url}"),
        )),
        "move": PeerKind(_("An enterprise that you trade with moves to another instance."), Wording(
            _("{peer}: an enterprise moves"),
            _("{peer} ({url}): {text}"),
            _("Its goods may be off sale while it moves. What is ordered stays ordered."),
            _("Ask the enterprise itself whether it moves. Contest the move if it does not."),
            ("commensal federation move list",),
        )),
    }  # fmt: skip


def _about_restores(_: Callable[[str], str]) -> dict[str, PeerKind]:
    return {
        "restored": PeerKind(
            _("It was restored from a backup; what it said after that may be lost."),
            Wording(
                _("{peer} was restored from a backup"),
                _("{peer} ({url}): {text}"),
                _("Our instance gives back what it has of it. Orders that only it knew may be lost."),
                _("Compare the open orders since its backup with its operator."),
                _SHOW,
            ),
        ),
        "epoch": PeerKind(
            _("It has sent a message of before its restore."),
            Wording(
                _("{peer}: a message of before its restore"),
                _("{peer} ({url}): {text}"),
                _("The message was refused. Orders stand as they were."),
                _("Ask its operator whether a copy of the old instance is still running."),
                _PROBE,
            ),
        ),
        "forgotten": PeerKind(
            _("It has forgotten messages that it had signed: it was restored from a backup unnoticed."),
            Wording(
                _("{peer} has forgotten what it signed"),
                _("{peer} ({url}) denies a message that it has signed: {text}"),
                _("It was restored or rolled back unnoticed. Orders that it confirmed since may be unknown to it."),
                _("Call its operator, who runs on that machine: commensal federation restored."),
                _SHOW,
            ),
        ),
        "rolled_back": PeerKind(
            _("This instance was restored from a backup, or rolled back, without being told; it goes on now."),
            Wording(
                _("This instance was rolled back"),
                _("{peer} ({url}) keeps messages of ours that this instance does not know any more: {text}"),
                _("What was lost is taken back from the peers. Until then, stock that they may hold is not sold."),
                _("Find out what happened to the database, and compare the open orders with your peers."),
                _SHOW,
            ),
        ),
        "future_cursor": PeerKind(
            _("It and this instance count your messages differently, and no message shows who is right."),
            Wording(
                _("{peer}: the counts of messages differ"),
                _("{peer} ({url}) and this instance count messages differently: {text}"),
                _("One of the two was restored without being told; what was said since may be missing on that side."),
                _("Ask its operator who was restored. If it is this instance, say so."),
                ("commensal federation restored",),
            ),
        ),
        "barrier": PeerKind(
            _("It has not said yet what it holds since your restore, so nothing of that is sold."),
            Wording(
                _("{peer} holds up sales after the restore"),
                _("{peer} ({url}) has not said yet what it holds since this instance was restored. {text}"),
                _("These goods are neither sold nor lent here until it answers, so that nothing is sold twice."),
                _(
                    "Call its operator. If it is gone for good, ask its people how much they sold, "
                    "and go on without it."
                ),
                (*_PROBE, "commensal federation peer go-on-without {url}"),
            ),
        ),
        "moved_before": PeerKind(
            _("An enterprise had moved there before your restore: complete the move."),
            Wording(
                _("An enterprise has moved away before the restore"),
                _("{peer} ({url}): {text}"),
                _("Its goods are not sold here, and its people can only read: it lives at the other instance."),
                _(
                    "Note what customers here still have to get, "
                    "then complete the move: hubs here sell its goods again."
                ),
                ("commensal federation move list", "commensal federation move complete ID"),
            ),
        ),
        "overlent": PeerKind(
            _("You have promised more than there is."),
            Wording(
                _("More is lent than there is"),
                _("{peer} ({url}): {text}"),
                _("Some of these orders cannot be delivered."),
                _("Count the stock. Bring more, or take back what is not sold, or shorten orders, today."),
                ("commensal federation leases",),
                page="leases",
            ),
        ),
    }


def _about_trade(_: Callable[[str], str]) -> dict[str, PeerKind]:
    return {
        "enterprise_offered": PeerKind("", Wording(
            _("{peer}: an enterprise would like to come"),
            _("{text}, now at {peer} ({url}), would like to move to this site."),
            _("Nothing has changed yet. If it comes, its goods, stock and orders come along."),
            _("Talk to its people. Then say on the page below who owns it here, or refuse."),
            page="moves",
        )),
        "doubt": PeerKind(
            _("It orders what its leases do not cover, or what may have changed: confirm it by hand, or refuse it."),
            None,
        ),
        "unsettled": PeerKind(
            _("The trade has ended, and not all that was ordered is confirmed: settle it with its people."),
            None,
        ),
        "sale": PeerKind(_("A sale that it proposed asks for your attention."), None),
        "item": PeerKind(_("Something of its catalogue was left out."), None),
    }  # fmt: skip
