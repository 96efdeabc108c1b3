"""Accounts and customers: signing up, confirming or changing an address, and linking earlier records and orders."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
