"""Catches up after downtime: the feed of the outbox, cursors, digests and snapshots of state."""
