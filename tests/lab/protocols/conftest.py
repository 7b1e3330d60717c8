import numpy as np
import pytest

from lab.protocols import Dialogue


def made(rows, *, host="api.vendor.example", port=443, seed=1, start=None, agent="okhttp/4.12.0", **options):
    """A dialogue from rows of (time, up, down, delay)."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Dialogue(host, port, options, agent, *columns, np.random.default_rng(seed), start)


@pytest.fixture(scope="session")
def dialogue():
    return made
