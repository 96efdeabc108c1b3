"""An installation of Commensal, and its settings."""

from ..base.ids import Secret
from ..base.reading import read_settings
from .instance import Instance, open_instance
from .settings import InstanceSettings, load_settings

__all__ = ["Instance", "InstanceSettings", "Secret", "load_settings", "open_instance", "read_settings"]
