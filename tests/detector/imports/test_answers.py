"""Names by the last answer that held an address."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.imports.answers import names_by_answer

ADDRESSES = ("1.1.1.1", "2.2.2.2")
CLIENTS = ("a", "b")


def tables(flows, dns):
    return (
        pa.table(
            {
                "client": pa.array([one[0] for one in flows], pa.string()),
                "server": pa.array([one[1] for one in flows], pa.string()),
                "start": pa.array([one[2] for one in flows], pa.int64()),
            }
        ),
        pa.table(
            {
                "client": pa.array([one[0] for one in dns], pa.string()),
                "answers": pa.array([one[1] for one in dns], pa.list_(pa.string())),
                "answered": pa.array([one[2] for one in dns], pa.int64()),
                "qname": pa.array([one[3] for one in dns], pa.string()),
            }
        ),
    )


def slow(flow, dns):
    """The rule in words: the latest answer not after the start, to this client, else to anyone."""
    fits = [one for one in dns if one[2] is not None and one[2] <= flow[2] and flow[1] in one[1]]
    mine = [one for one in fits if one[0] == flow[0]] or fits
    return max(mine, key=lambda one: one[2])[3] if mine else None


@given(
    st.lists(st.tuples(st.sampled_from(CLIENTS), st.sampled_from(ADDRESSES), st.integers(0, 30)), max_size=8),
    st.lists(
        st.tuples(
            st.sampled_from(CLIENTS),
            st.lists(st.sampled_from((*ADDRESSES, "c.name")), max_size=3),
            st.none() | st.integers(0, 30),
        ),
        max_size=8,
        unique_by=lambda one: one[2],
    ),
)
def test_names_are_those_of_the_rule(flows, dns):
    dns = [(*one, f"n{k}") for k, one in enumerate(dns)]
    assert names_by_answer(*tables(flows, dns)).to_pylist() == [slow(flow, dns) for flow in flows]
