import inspect
from typing import get_type_hints

from lab import cli, cli_catalogue, options


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
