"""Configuration for hosting an instance: systemd units, a reverse proxy, a container, monitoring."""

from .texts import CONTAINER, MONITORING, PROXIES, SEVERAL, UNITS, UPGRADES, write_files, write_text

__all__ = ["CONTAINER", "MONITORING", "PROXIES", "SEVERAL", "UNITS", "UPGRADES", "write_files", "write_text"]
