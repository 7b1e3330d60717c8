"""The canary: exit 0 when the sensor alerts, 1 when it is silent, and never the other way round."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import lab.replay
from lab.cli import app
from lab.replay import Report
from lab.stages.wire import play

ALERT = {"event_type": "alert", "src_ip": "10.88.3.4", "dest_ip": "198.18.7.9", "alert": {"signature": "poll"}}


@pytest.fixture
def recorded(tiny, tmp_path):
    return play(tiny, tmp_path / "tiny")


@pytest.fixture
def sensor(monkeypatch, tmp_path):
    """A sensor that writes these rows, one list a round, when something is replayed."""
    path = tmp_path / "eve.json"
    path.write_text(json.dumps(ALERT) + "\n")
    monkeypatch.setattr(lab.replay, "permitted", lambda *_: [])

    def install(*rounds, lost=0):
        played = iter(rounds)

        def replay(planned, *_):
            with path.open("a") as file:
                file.writelines(json.dumps(row) + "\n" for row in next(played))
            return Report(planned=len(planned.due), sent=len(planned.due) - lost)

        monkeypatch.setattr(lab.replay, "replay", replay)
        return path

    return install


def ask(recorded, path, *words):
    words = [str(recorded), "-i", "dr-wire0", "--alerts", str(path), "--within", "0s", *words]
    return CliRunner().invoke(app, ["lab", "canary", *words])


def test_an_alert_in_time_is_exit_0(recorded, sensor):
    answer = ask(recorded, sensor([ALERT]))
    assert answer.exit_code == 0
    assert "alerted: poll (10.88.3.4, 198.18.7.9)" in answer.stdout


@pytest.mark.parametrize("rows", [[], [ALERT | {"src_ip": "192.0.2.7"}], [{"event_type": "flow"}]])
def test_silence_is_exit_1(recorded, sensor, rows):
    answer = ask(recorded, sensor(rows), "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["alerted"] is False


def test_what_did_not_leave_proves_nothing_and_is_exit_3(recorded, sensor):
    assert ask(recorded, sensor([ALERT], lost=1)).exit_code == 3


def test_it_goes_on_until_the_first_silence(recorded, sensor):
    answer = ask(recorded, sensor([ALERT], [ALERT], []), "--every", "0s", "--times", "5", "--json")
    assert answer.exit_code == 1
    assert [json.loads(line)["alerted"] for line in answer.stdout.splitlines()] == [True, True, False]


def test_it_ends_after_so_many_times(recorded, sensor):
    assert ask(recorded, sensor([ALERT], [ALERT], []), "--every", "0s", "--times", "2").exit_code == 0


def test_a_mapped_device_is_looked_for_under_its_new_address(recorded, sensor):
    path = sensor([ALERT], [ALERT | {"src_ip": "10.50.0.1"}])
    assert ask(recorded, path, "--map", "phone-01=10.50.0.1").exit_code == 1
    assert ask(recorded, path, "--map", "phone-01=10.50.0.1").exit_code == 0


def test_a_place_without_a_sensor_is_exit_3(recorded, sensor, tmp_path):
    sensor([])
    assert ask(recorded, tmp_path / "nowhere/eve.json").exit_code == 3


def test_what_a_sensor_calls_its_alert_does_not_steer_a_terminal(recorded, sensor):
    answer = ask(recorded, sensor([ALERT | {"alert": {"signature": "poll\x1b[2J"}}]))
    assert answer.exit_code == 0
    assert "alerted: poll\N{REPLACEMENT CHARACTER}[2J" in answer.stdout
