"""The meaning of members that several types of message share, for `federation/MESSAGES.md`."""

ENTERPRISE = "the enterprise that moves, at its old address"
MOVED_TO = "its address at the new home"
RENAMED = "new ids by old ones, of things of which the new home had a copy already; all other ids stay"
APART = (
    "ids, at the old home, of lots whose lease goes on beside another lease of the same goods, from a hub at the new"
)
