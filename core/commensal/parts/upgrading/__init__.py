"""Upgrades an instance to the installed version: preflight checks, backup, migration, check.

If it is killed at any moment, the database is between two revisions and never within one. Then the same command
continues, with the backup of the first attempt; or, as long as no revision has run, the old version can be started.
"""
