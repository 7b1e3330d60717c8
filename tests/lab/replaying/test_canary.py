import json

import pytest

from lab.errors import PrerequisiteError
from lab.replaying.canary import Alert, Watch, alert_of, check

EVE = {"event_type": "alert", "src_ip": "10.88.3.4", "dest_ip": "198.18.0.9", "alert": {"signature": "poll seen"}}
FINDING = {"analytic": "AN1793", "device": "10.88.3.4", "alert": True}
WHOM = {"10.88.3.4", "198.18.0.9", "phone-01"}


def line(row):
    return json.dumps(row).encode() + b"\n"


@pytest.fixture
def eve(tmp_path):
    path = tmp_path / "eve.json"
    path.write_bytes(line(EVE))
    return path


def append(path, *rows):
    def play():
        with path.open("ab") as file:
            file.writelines(map(line, rows))

    return play


def test_alerts_of_both_forms_are_read():
    assert alert_of(line(EVE)) == Alert("poll seen", ("10.88.3.4", "198.18.0.9"))
    assert alert_of(line(FINDING)) == Alert("AN1793", ("10.88.3.4",))


@pytest.mark.parametrize(
    "row",
    [FINDING | {"alert": False}, EVE | {"event_type": "flow"}, EVE | {"alert": None}, [], 7, "x", {}, {"alert": True}],
)
def test_what_is_no_alert_is_none(row):
    assert alert_of(line(row)) is None


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_none(text):
    assert alert_of(text) is None


def test_a_sensor_that_alerts_is_heard(eve):
    heard = check(Watch(eve), WHOM, append(eve, {"event_type": "flow"}, EVE), within_s=0)
    assert heard.alert == Alert("poll seen", ("10.88.3.4", "198.18.0.9"))
    assert heard.to_json()["alerted"] is True
    assert heard.lines == 2


@pytest.mark.parametrize(
    ("rows", "others"),
    [
        ([], 0),
        ([{"event_type": "flow"}], 0),
        ([EVE | {"src_ip": "192.0.2.1"}], 1),
        ([FINDING | {"device": "10.88.9.9"}], 1),
        ([FINDING | {"device": None}], 1),
        ([FINDING | {"alert": False}], 0),
    ],
)
def test_silence_old_alerts_and_alerts_about_others_are_no_alert(eve, rows, others):
    heard = check(Watch(eve), WHOM, append(eve, *rows), within_s=0)
    assert heard.alert is None
    assert heard.to_json()["alerted"] is False
    assert heard.others == others


def test_only_the_kind_that_was_asked_for_counts(eve):
    assert check(Watch(eve), WHOM, append(eve, EVE), within_s=0, matching="beacon").alert is None
    assert check(Watch(eve), WHOM, append(eve, EVE), within_s=0, matching="poll").alert is not None


def test_a_line_counts_when_it_is_whole(eve):
    watch = Watch(eve)
    with eve.open("ab") as file:
        file.write(line(EVE)[:20])
    assert watch.lines() == []
    with eve.open("ab") as file:
        file.write(line(EVE)[20:])
    assert [alert_of(one).what for one in watch.lines()] == ["poll seen"]


def test_a_file_that_is_rotated_cut_or_not_there_yet_is_followed(eve, tmp_path):
    watch = Watch(eve)
    eve.rename(tmp_path / "eve.1")
    assert watch.lines() == []
    eve.write_bytes(line(FINDING))
    assert len(watch.lines()) == 1
    eve.write_bytes(b"")
    assert watch.lines() == []
    append(eve, EVE)()
    assert len(watch.lines()) == 1
    late = Watch(tmp_path / "findings.jsonl")
    assert late.lines() == []
    append(tmp_path / "findings.jsonl", FINDING)()
    assert len(late.lines()) == 1


def test_a_place_where_no_sensor_can_write_is_told(tmp_path):
    with pytest.raises(PrerequisiteError, match="folder does not exist"):
        Watch(tmp_path / "nowhere/eve.json")
    with pytest.raises(PrerequisiteError, match="found a folder"):
        Watch(tmp_path)
