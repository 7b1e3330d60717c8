"""A fleet played in blocks: the same rows as played at once, whoever plays the blocks."""

import pyarrow.parquet as pq
import pytest

from detector.contract import open_telemetry
from lab.recording import open_recording
from lab.running.workers import streamed
from lab.scenario import parse_scenario
from lab.stages.flows import play, play_blocks
from lab.truth import truth_of
from lab.world import compiler
from lab.world.compiler import compile_blocks, compile_timeline

POLLS = ("http-poll", "dns-poll")


@pytest.fixture(scope="module", params=POLLS)
def recordings(request, torch_file, tmp_path_factory):
    """The same fleet as one timeline, as blocks of five, and as those on two processes."""
    folder = tmp_path_factory.mktemp("fleet")
    text = torch_file("90m", 12, ground="[background]\napps = 8", kind=request.param)
    scenario = parse_scenario(text.encode(), name="fleet", place="fleet.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "BLOCK", 5)
        timeline = compile_timeline(scenario, 3)
        play(timeline, folder / "whole")
        play_blocks(compile_blocks(scenario, 3), folder / "blocks", phones=12)
        told = []

        def spread(work, blocks):
            return streamed(work, blocks, workers=2)

        play_blocks(
            compile_blocks(scenario, 3),
            folder / "spread",
            phones=12,
            spread=spread,
            progress=lambda *how: told.append(how),
        )
    assert told == [(5, 12), (10, 12), (12, 12)]
    return folder, truth_of(timeline)


def rows(path):
    """The rows of every table, sorted; flows are called by their ends and start."""
    telemetry = {one.stem: pq.read_table(one) for one in (path / "telemetry").glob("*.parquet")}
    ends = ("start", "client", "client_port", "server", "server_port", "proto")
    flows = telemetry["flows"].to_pylist()
    known = {row["flow"]: tuple(row[name] for name in ends) for row in flows}
    tables = telemetry | {f"truth-{one.stem}": pq.read_table(one) for one in (path / "truth").glob("*.parquet")}
    found = {}
    for name, table in tables.items():
        plain = [{**row, "flow": known[row["flow"]]} if "flow" in row else row for row in table.to_pylist()]
        found[name] = sorted(map(str, plain))
    return found


def test_blocks_have_the_rows_of_the_whole(recordings):
    folder, _ = recordings
    whole, blocks = rows(folder / "whole"), rows(folder / "blocks")
    assert whole.keys() == blocks.keys()
    for name in whole:
        assert len(whole[name]) > 11, name
        assert whole[name] == blocks[name], name


def test_who_plays_the_blocks_does_not_matter(recordings):
    folder, _ = recordings
    one, other = ((folder / name / "recording.json").read_bytes() for name in ("blocks", "spread"))
    assert one == other


def test_flows_are_numbered_through(recordings):
    folder, _ = recordings
    tables = open_telemetry(open_recording(folder / "blocks").telemetry).tables
    flows = tables["flows"]["flow"].to_pylist()
    assert flows == sorted(flows)
    assert len(set(flows)) == len(flows)
    assert set(tables["exchanges"]["flow"].to_pylist()) <= set(flows)
    assert set(tables["dns"]["flow"].to_pylist()) <= set(flows)


def test_the_truth_is_that_of_all_phones(recordings):
    folder, truth = recordings
    found = open_recording(folder / "blocks").truth()
    assert {one.incident for one in found.incidents} == {one.incident for one in truth.incidents}
    assert len(found.incidents) == 12
    assert found.devices == truth.devices
    assert found.contacts == truth.contacts
    assert found.packages == truth.packages
