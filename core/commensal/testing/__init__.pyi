"""Public names of `commensal.testing`, each imported when it is first asked for: the package reads this list."""

from .clock import ManualClock as ManualClock
from .conformance import conforms as conforms
from .drafts import a_draft as a_draft
from .drafts import a_line as a_line
from .drafts import a_payment as a_payment
from .drafts import an_adjustment as an_adjustment
from .instances import JobFailed as JobFailed
from .instances import RunJobs as RunJobs
from .pair import Pair as Pair
from .receiver import Gateway as Gateway
from .shop import Shop as Shop

__all__: list[str]
