"""Operating an instance: serving, background work, backups, upgrades, checks, hosting."""
