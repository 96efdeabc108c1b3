"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .actor import Acting as Acting
from .actor import acting as acting
from .questions import AuditEntry as AuditEntry
from .questions import AuditFilter as AuditFilter
from .questions import audit_entries as audit_entries

__all__: list[str]
