"""Lines of EVE by their kind."""

from hypothesis import given
from hypothesis import strategies as st

from detector.imports.eve_lines import EventLines

FLOW = b'{"event_type":"flow","a":1}\n'
ALERT = b'{"event_type": "alert", "payload": "\\"event_type\\":\\"flow\\""}\n'


def test_lines_go_by_kind_and_keep_their_numbers():
    lines = EventLines.of(memoryview(FLOW + b"\n" + ALERT + FLOW + b'{"event_type":"flow"}'))
    body, numbers = lines.of_kind("flow")
    assert bytes(body) == FLOW + FLOW + b'{"event_type":"flow"}'
    assert numbers.tolist() == [1, 4, 5]
    assert lines.others(("flow",)) == ({"alert": 1}, ())
    assert len(lines) == 4


def test_lines_that_are_cut_or_no_event_are_faults():
    lines = EventLines.of(memoryview(FLOW + b'{"x":1}\n{"event_type":"alert","si'))
    counted, faults = lines.others(("flow",))
    assert counted == {}
    assert [fault[0] for fault in faults] == [2, 3]


@given(st.lists(st.sampled_from([FLOW, ALERT, b"\n", b"\r\n", b"junk\n", b"\xff\n"])), st.binary(max_size=20))
def test_every_line_that_is_not_empty_is_of_a_kind_or_a_fault(parts, tail):
    body = b"".join(parts) + tail
    lines = EventLines.of(memoryview(body))
    counted, faults = lines.others(("flow",))
    assert len(lines) == sum(counted.values()) + len(faults) + len(lines.of_kind("flow")[1])
    assert len(lines) == sum(one not in (b"", b"\r") for one in body.split(b"\n"))
