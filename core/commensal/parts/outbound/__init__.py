"""Requests to URLs that strangers name, guarded against access to internal networks (SSRF)."""
