"""Backup and restore of an instance while it serves; export and import to another machine or database.

A backup is a fast copy for the same kind of database, for disaster recovery. An export is slow but can be imported into
either kind, for migration. Both are one zip file, mode 0600, with a manifest; the file is read back and checked before
it gets its name.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
