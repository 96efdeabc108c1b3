"""Files that are made from the code say what the code says today."""

from __future__ import annotations

import pytest
from tests.generated import GENERATED, ROOT


@pytest.mark.bundled
@pytest.mark.parametrize("path", GENERATED)
def test_a_file_that_is_made_from_the_code_is_what_the_code_says(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == GENERATED[path](), "run `make generated`"
