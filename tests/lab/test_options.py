import inspect
from pathlib import Path
from typing import get_type_hints

import pytest
import typer

from lab import cli, cli_catalogue, options
from lab.stages import stage_names


def commands():
    return [
        command.callback for group in (cli.app, cli_catalogue.scenario_app) for command in group.registered_commands
    ]


def test_an_option_means_the_same_in_every_command():
    meant = {"json_": options.Json, "out": options.Out, "seed": options.Seed, "allow_partial": options.Partial}
    found = 0
    for command in commands():
        hints = get_type_hints(
            inspect.unwrap(command), vars(inspect.getmodule(inspect.unwrap(command))), include_extras=True
        )
        for name in hints.keys() & meant.keys():
            assert hints[name] == meant[name], (command.__name__, name)
            found += 1
    assert found > 15


def test_every_result_has_json():
    silent = {"report", "new"}  # they print the path of what they wrote
    without = {one.__name__.split("_")[-1] for one in commands() if "json_" not in inspect.signature(one).parameters}
    assert without <= silent


def test_the_help_of_stage_names_every_stage():
    said = options.Stage.__metadata__[0].help
    assert [name for name in stage_names() if name not in said.replace(",", " ").replace(".", " ").split()] == []


def test_a_folder_that_cannot_be_is_refused_with_its_reason(tmp_path):
    (tmp_path / "afile").write_text("")
    with pytest.raises(typer.BadParameter, match=r"--out .*afile is a file, expected a folder"):
        options.fit_folder(tmp_path / "afile")
    with pytest.raises(typer.BadParameter, match=r"--out .*afile/in cannot be written: .*afile is a file"):
        options.fit_folder(tmp_path / "afile/in")
    with pytest.raises(typer.BadParameter, match="--out /proc/nope cannot be written: No such file"):
        options.fit_folder(Path("/proc/nope"), made=False)
    assert not options.fit_folder(tmp_path / "later", made=False).exists()
    assert options.fit_folder(tmp_path / "new/one").is_dir()
    assert options.fit_folder(tmp_path / "new/one").is_dir(), "again"


def test_a_sweep_says_what_it_leaves_out(capsys):
    from lab.scenario import load_all

    scenarios = load_all(["https-poll-5m", "ordinary-day"])
    assert options.varied(scenarios, None) == (scenarios, ())
    cells, axes = options.varied(scenarios, ["polling.jitter=0,0.9"])
    assert ([one.name for one in cells], len(axes)) == (["https-poll-5m.jitter-0", "https-poll-5m.jitter-0.9"], 1)
    assert capsys.readouterr().err == "not varied and not played: ordinary-day\n"
