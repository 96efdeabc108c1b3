"""Until when the goods of a lot may be sold here."""
