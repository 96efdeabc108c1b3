"""Accounts and customers: signing up, confirming or changing an address, and linking earlier records and orders."""
