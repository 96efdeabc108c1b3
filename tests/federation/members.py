"""The meaning of each member of the messages' objects, for federation/MESSAGES.md. Commensal's own terms in a DFC graph
appear here without their namespace.
"""

from __future__ import annotations

_ENTERPRISE = "the enterprise that moves, at its old address"
_MOVED_TO = "its address at the new home"
_QUANTITY = "dfc-b:hasQuantity"
_RENAMED = "new ids by old ones, of things of which the new home had a copy already; all other ids stay"
_APART = (
    "ids, at the old home, of lots whose lease goes on beside another lease of the same goods, from a hub at the new"
)

MEMBERS: dict[str, dict[str, str]] = {
    "PeerRequest": {
        "document": "the sender's instance document as a text of at most 12 KiB, formatted in any way",
        "nonce": "128 random bits as 22 to 64 characters; the acceptance repeats it",
        "scopesGiven": "what the receiver may do at the sender's, once it agrees",
        "scopesWanted": "what the sender would like to do at the receiver's; its operator decides",
    },
    "PeerAccept": {
        "nonce": "that of the request",
        "scopesGiven": "what the receiver may do at the sender's from now on",
    },
    "ScopesChanged": {"scopesGiven": "all that it may do; what is not listed ends"},
    "PeerRevoke": {"text": "for people"},
    "KeyUpdate": {"document": "the new instance document as a text of at most 64 KiB"},
    "EpochStart": {"epoch": "the same as in the envelope: higher than any before"},
    "Problem": {
        "code": "for programs; the message that it is about is `inReplyTo` of the envelope",
        "text": "for operators, in English",
        "kept": "`false` where the message was not stored, so that it may come again; missing otherwise",
    },
    "StateDigest": {
        "room": "`catalogue`; there is no other",
        "name": "the grantor's address, a blank, the hub's address",
        "digest": "the sum over all items that are not withdrawn, see README.md",
    },
    "StateRequest": {
        "room": "`catalogue`",
        "name": "as in the StateDigest; empty for all grants",
    },
    "GrantOffer": {
        "hub": "the hub that may sell; the enterprise is the grantor",
        "currency": "of all its prices, by ISO 4217",
        "language": "of its texts, by BCP 47",
        "timezone": "by IANA",
        "pricesIncludeVAT": "`true` or `false`",
        "resell": "`true` where the hub may grant the goods to hubs of other instances",
    },
    "GrantAnswer": {
        "grantor": "who offered",
        "hub": "to whom",
        "accepted": "`false` ends a grant that was accepted before, too",
    },
    "GrantEnd": {"grantor": "who ends it", "hub": "for whom"},
    "CatalogueUpsert": {
        "hub": "for which hub the items are; the enterprise is the grantor",
        "rev": "of the item for this grant; a receiver takes a higher one, and no other",
        "digest": "what the sender calls the state of the item; a receiver keeps it and gives it no meaning",
        "statement": "what the seller offers, signed by its instance apart from the message, as a text; see above",
        "originStatement": "the producer's statement, where the seller is another",
        "cameThrough": "one text for each hand: its place from 0 (the producer), its address, its name, by blanks",
        "takenFrom": "the lot from which a piece of the product is taken",
        "takes": "how much of the lot one piece takes, in parts of which `perUnit` make one unit of the lot",
        "perUnit": "so many parts are one unit of the lot",
        "heldBy": "the enterprise that holds the lot",
        "VATrate": "of the product, in percent",
    },
    "CatalogueWithdraw": {
        "grantor": "whose items",
        "hub": "for which hub",
        "items": "their addresses, and the revisions in which they went",
        "rev": "of each item, higher than the one before",
    },
    "StockLevel": {_QUANTITY: "how much may be had"},
    "LeaseRequest": {
        _QUANTITY: "how much more is hoped for, no less than `least`",
        "least": "how much more is needed, or nothing is granted; `0` where no customer waits",
        "ordered": "what customers have ordered, or the holder has lent on, of what it holds; without this request",
    },
    "LeaseGrant": {
        _QUANTITY: "all that was ever granted in this epoch; what is new is the difference to what was known",
        "leaseEpoch": "1 at first",
        "until": "when the holder stops selling",
        "beyond": "how much more might be had, as a hint",
    },
    "LeaseRefusal": {
        _QUANTITY: "how much might be had, with what idles at others (the `beyond` of README.md)",
        "reason": "for operators",
    },
    "LeaseReport": {
        _QUANTITY: "what the holder holds: free, reserved by customers' orders, and lent on",
        "leaseEpoch": "that of the grants that are counted",
        "report": "1 at first, one more each time",
        "seen": "all that was granted in this epoch, as far as the holder has heard",
        "returned": "all that it ever gave back in this epoch",
        "sold": "all that it has handed over to customers in this epoch; what is only ordered is held",
        "ordered": "of what is held, what is reserved or lent on",
    },
    "LeaseRecall": {_QUANTITY: "how much others lack; the holder gives back as much of it as nobody has ordered"},
    "LeaseForced": {
        _QUANTITY: "how much of the epoch that ends was handed over, as the lender knows it",
        "leaseEpoch": "the one that begins; all counts are 0 in it",
    },
    "OrderUpdate": {
        "rev": "of the order: 1 at first, one more with each update. Of a line: the revision of its item",
        "currency": "by ISO 4217; the grant's",
        "names": "the `rev` in which the list of names changed last, see README.md; missing where there is none",
        "distribution": "of the sale: when the goods are handed out",
        "name": "of the line: what customers read",
    },
    "OrderAnswer": {
        "rev": "of the order that the producer saw",
        "answerNumber": "1 at first, one more with each answer; each has all lines that were answered so far",
        "item": "which line of the order is answered",
        "answer": "`confirmed`, `shortened` or `refused`; `dfc-b:quantity` is the number of pieces that come",
        "reason": "for people",
        "weighed": "all these pieces by the producer's scales, in the unit of the product's quantity",
    },
    "SaleProposal": {
        "hub": "which is to hold the sale; the enterprise that coordinates it is the producer",
        "distribution": "when the goods are handed out",
        "distributionEnd": "and until when",
        "rev": "1 at first, one more with each change; a receiver takes a higher one, and no other",
        "withdrawn": "`true`: it will not be",
    },
    "SaleAnswer": {"sale": "the coordination", "hub": "which answers", "accepted": "whether it holds the sale"},
    "MoveOffer": {
        "enterprise": _ENTERPRISE,
        "name": "for people",
        "products": "how many it has",
        "authorityEpoch": "the one that would begin",
    },
    "MoveAccept": {"enterprise": _ENTERPRISE, "accepted": "`false`: not, or not any more"},
    "MoveExport": {
        "enterprise": _ENTERPRISE,
        "part": "from 1",
        "parts": "how many there are",
        "rows": "one for each thing, by `kind`; only an instance of Commensal can take them",
    },
    "MoveReady": {"enterprise": _ENTERPRISE, "movedTo": _MOVED_TO, "renamed": _RENAMED},
    "MoveCancel": {"enterprise": _ENTERPRISE},
    "Move": {
        "enterprise": _ENTERPRISE,
        "movedTo": _MOVED_TO,
        "authorityEpoch": "higher than any before",
        "renamed": _RENAMED,
        "apart": f"{_APART}; where hubs of the old home have one",
        "statement": "signed by the recovery key, as a text, where the old home does not say so itself",
    },
    "MoveFollowed": {"enterprise": _ENTERPRISE, "movedTo": _MOVED_TO, "apart": _APART},
    "RecoveryKey": {"enterprise": "whose key it is", "recoveryKey": "its public half, a did:key"},
    "MoveNotice": {
        "enterprise": _ENTERPRISE,
        "movedTo": "where it is said to go",
        "until": "the sender waits until then",
    },
    "MoveContest": {
        "enterprise": _ENTERPRISE,
        "movedTo": "where it is said to go",
        "statement": "signed by the recovery key, as a text, where it is not the old home that says so",
    },
}
