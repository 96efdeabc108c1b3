"""Answers to requests with an Idempotency-Key, stored so that a repeated request gets the first answer."""
