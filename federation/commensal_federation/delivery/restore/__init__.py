"""Recovers the exchange with peers after one side was restored from a backup."""
