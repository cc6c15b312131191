"""The table of known differences is true on both sides."""

from __future__ import annotations

import pytest

from tests.integration.firestore.api import Api
from tests.integration.firestore.differences import DIFFERENCES, Difference


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda item: item.about)
def test_differences(api: Api, difference: Difference) -> None:
    wanted = difference.ours if api.kind == "embedded" else difference.googles
    assert difference.ask(api) == wanted
