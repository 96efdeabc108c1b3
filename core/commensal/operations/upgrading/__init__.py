"""An instance is brought to the version that was installed: looked at, backed up, migrated, checked.

Killed anywhere on the way, the database is between two revisions and never within one. Then the same command goes on
where it was, with the backup of the first time; or, as long as no revision has run, the old version starts.
"""
