"""The audit trail: who changed what, when, by which command, and from which request."""
