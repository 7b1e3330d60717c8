"""The command that plays one row of a scorecard again, to be copied and pasted. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any


def command(row: Mapping[str, Any], card: Mapping[str, Any]) -> str:
    """``droidrange run SCENARIO --seed N ...`` with all that the scorecard says of how it was run.

    What is found by no name of its own, a cell of a sweep or a file of somebody's, is played again with its suite.

    >>> command({"scenario": "a", "seed": 3, "stage": "flows", "detector": "builtin", "view": "full"}, {})
    'droidrange run a --seed 3 --stage flows --detector builtin --view full -o out/again/a-s3'
    """
    evidence = card.get("evidence", {})
    turned = evidence.get("turned", {}).get(row["scenario"], [])
    what = evidence.get("asked") or (card["suite"] if turned else row["scenario"])
    words = ["droidrange", "run", what, "--seed", row["seed"], "--stage", row["stage"]]
    words += ["--detector", row["detector"], "--view", row["view"]]
    words += [word for one in turned for word in ("--vary", one)]
    options = {"--devices": card.get("devices"), "--poison": card.get("poison"), "--novel": card.get("novel")}
    options["--speed"] = evidence.get("speed")
    options["--learn"] = f"{card['learn_s']:.12g}s" if "learn_s" in card else None
    words += [word for name, value in options.items() if value is not None for word in (name, value)]
    words += ["-o", f"out/again/{row['scenario']}-s{row['seed']}"]
    return shlex.join(str(word) for word in words)
