"""An instance is backed up while it serves, restored, and carried to another machine or database.

A backup is the fast copy of one kind of database, for the day when a disk dies. An export is the slow one that either
database reads, for moving house. Both are one zip file, mode 0600, that names itself in a manifest and was read back
before it got its name.
"""
