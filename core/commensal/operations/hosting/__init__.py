"""What stands around an instance on a server: units of systemd, a reverse proxy, a container."""

from .texts import CONTAINER, PROXIES, UNITS, write_files, write_text

__all__ = ["CONTAINER", "PROXIES", "UNITS", "write_files", "write_text"]
