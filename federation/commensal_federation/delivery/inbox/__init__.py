"""Receives messages: admission, verification, storage, dispatch to their handlers."""
