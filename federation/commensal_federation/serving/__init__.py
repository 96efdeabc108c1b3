"""Serves the requests of other instances over HTTP."""
