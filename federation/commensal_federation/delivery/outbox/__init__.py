"""Sends messages: the transactional outbox, pushes, retries, breakers, dead letters."""
