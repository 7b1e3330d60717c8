"""The table of parity, with recordings of the wire stage in place of live ones: no Docker."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from lab.scenario import compile_scenario, find_scenario, load_scenario, parse_scenario
from lab.stages import play

PLACE = Path(__file__).with_name("bench_parity.py")


@pytest.fixture(scope="module")
def bench():
    spec = spec_from_file_location("bench_parity", PLACE)
    module = sys.modules["bench_parity"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["bench_parity"]


def recorder(*, live_seed=1, period="1m", refuses=""):
    """Plays both stages on the wire; the live one with another seed or period, or not at all."""

    def record(scenario, stage, folder):
        live = stage == "live"
        if live and scenario == refuses:
            raise RuntimeError("no engine | none")
        path = find_scenario(scenario)
        content = path.read_bytes()
        if live:
            content = content.replace(b'period = "1m"', f'period = "{period}"'.encode())
        made = parse_scenario(content, name=scenario, place="live") if live else load_scenario(path)
        play("wire", compile_scenario(made, live_seed if live else 1), folder)

    return record


@pytest.fixture(scope="module")
def outcomes(bench, tmp_path_factory):
    def made(*names, **changes):
        return [bench.recorded(name, recorder(**changes), tmp_path_factory.mktemp("parity")) for name in names]

    return made


def test_two_recordings_of_one_seed_are_alike(bench, outcomes):
    found = outcomes("live-https", "live-socks5")
    assert all(one.held for one in found)
    assert bench.left_with(found) == 0
    text = bench.page(found, seed=1, speed=60)
    assert "| live-https | 1 |" in text
    assert text.rstrip().endswith("Nothing.")
    assert len(text.splitlines()) < 100
    every = bench.detail(found)
    assert "**verdict** | ALERT" in every
    assert "| gap_s_median | " in every
    assert "NO |" not in every


def test_groups_are_called_what_truth_calls_them(outcomes):
    (one,) = outcomes("live-https")
    assert set(one.incidents.values()) == {"phone-01/com.orchard.torchlight/http-poll"}
    assert {"http-poll", "periodic-sync"} <= set(one.behaviours.values())


@pytest.mark.parametrize("change", [{"live_seed": 2}, {"period": "66s"}])
def test_another_seed_and_another_period_are_flagged(bench, outcomes, change):
    """The negative controls."""
    found = outcomes("live-https", **change)
    assert bench.left_with(found) == 1
    text = bench.page(found, seed=1, speed=60)
    assert "BROKEN" in text
    if "period" in change:
        assert "AN1793 phone-01 com.orchard.torchlight" in text
        (flagged,) = [pair for pair in found[0].pairs if not pair.within]
        assert flagged.shown.package == "com.orchard.torchlight"
        assert {"contacts", "gap_s_median"} <= {value.feature for value in flagged.outside}


def test_one_that_fails_live_is_a_row_and_the_others_go_on(bench, outcomes):
    found = outcomes("live-dns", "live-https", refuses="live-dns")
    assert bench.left_with(found) == 3
    text = bench.page(found, seed=1, speed=60)
    assert "| live-dns | | | | | | | FAILED: RuntimeError: no engine / none |" in text
    assert "| live-https | 1 |" in text
    assert "- live-dns: not compared: RuntimeError" in text


def test_a_group_seen_on_one_stage_only_is_told(bench, outcomes):
    (one,) = outcomes("live-https")
    without = bench.compared([pair.one for pair in one.pairs], [pair.other for pair in one.pairs[:-1]])
    found = [bench.Outcome("live-https", without, one.incidents, one.behaviours)]
    assert bench.left_with(found) == 0, "an ordinary app at the edge of being looked at"
    text = bench.page(found, seed=1, speed=60)
    assert "seen on wire only" in text
    assert "| 1 | 0 | held |" in text


def test_an_incident_seen_on_one_stage_only_breaks_it(bench, outcomes):
    (one,) = outcomes("live-https")
    others = [pair.other for pair in one.pairs if pair.shown.key not in one.incidents]
    found = [
        bench.Outcome("live-https", bench.compared([p.one for p in one.pairs], others), one.incidents, one.behaviours)
    ]
    assert bench.left_with(found) == 1


def test_a_command_that_fails_says_its_last_words(bench, tmp_path):
    record = bench.by_command(1, 60)
    with pytest.raises(RuntimeError, match=r"left with 2: .*nonesuch"):
        record("nonesuch", "wire", tmp_path / "rec")
    assert isinstance(bench.recorded("nonesuch", record, tmp_path).fault, str)


def test_a_recording_that_hangs_is_a_failure(bench, tmp_path):
    def record(_scenario, _stage, _folder):
        raise subprocess.TimeoutExpired("droidrange", 1)

    assert "TimeoutExpired" in bench.recorded("live-https", record, tmp_path).fault


def test_parts_of_the_page_are_kept(bench):
    text = bench.put("# Old\nlive values\n", "flows", "# New\nflows values\n")
    assert text.index("<!-- flows -->\n# New") < text.index("<!-- live -->\n# Old\nlive values")
    again = bench.put(text, "flows", "# Newer\n")
    assert "live values" in again
    assert "flows values" not in again
    assert bench.put(again, "flows", "# Newer\n") == again


def test_flows_are_held_against_wire(bench, tmp_path):
    def record(scenario, stage, folder):
        play(stage, compile_scenario(load_scenario(find_scenario(scenario)), 1), folder)

    one = bench.recorded("live-https", record, tmp_path, "flows")
    assert one.held
    assert "| wire | flows |" in bench.detail([one])
    assert "tshark" in bench.page([one], seed=1, speed=60)


def test_a_page_names_what_differs_up_to_a_number_of_lines(bench, outcomes):
    (one,) = outcomes("live-https")
    alone = bench.compared([pair.one for pair in one.pairs], [])
    many = [bench.Outcome("live-https", alone, one.incidents, one.behaviours)] * 80
    text = bench.page(many, seed=1, speed=60)
    lines = sum(line.startswith("- live-https") for line in text.splitlines())
    assert lines == 60
    assert f"- and {sum(line.startswith('- ') for line in bench.detail(many).splitlines()) - 60} more:" in text
