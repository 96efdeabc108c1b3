"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .trail import Acting as Acting
from .trail import AuditEntry as AuditEntry
from .trail import AuditFilter as AuditFilter
from .trail import acting as acting
from .trail import audit_entries as audit_entries

__all__: list[str]
