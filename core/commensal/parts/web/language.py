"""The type of a field that names one of the languages in which this instance speaks."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ...base.languages.offered import LANGUAGES

Language = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(LANGUAGES)})$")]
