"""What keeps an instance running: serving, background work, backups, upgrades, checks, hosting."""
