from pathlib import Path

import pytest

from lab.errors import PrerequisiteError
from lab.replaying.namespaces import within


def here():
    return Path("/proc/thread-self/ns/net").readlink()


def test_no_namespace_is_where_one_is():
    before = here()
    with within(""):
        assert here() == before


def test_one_that_is_not_there_is_told_and_nothing_has_changed():
    before = here()
    with pytest.raises(PrerequisiteError, match="ip netns list"), within("nowhere-at-all"):
        pytest.fail("entered")
    assert here() == before
