"""Configuration for hosting an instance: systemd units, a reverse proxy, a container."""

from .texts import CONTAINER, PROXIES, UNITS, write_files, write_text

__all__ = ["CONTAINER", "PROXIES", "UNITS", "write_files", "write_text"]
