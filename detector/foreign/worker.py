"""A user's class at work inside the cell: imported, made, shown the telemetry, its findings written as JSON lines.

Run as ``python -m detector.foreign.worker ORDER``, ORDER being JSON: {"action": "about" | "judges" | "detect",
"module", "class", "settings", "telemetry"}. What the class prints goes to stderr; answers go to the real stdout. The
last line is {"said": N}, so that whoever ends early has not said all. Exit codes: 0, WRONG (no such class, or none that
is a detector), UNSUPPORTED, and 1 for whatever the class raises.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from detector.contract import ANALYTICS, Detector, Finding, Knob, Unsupported, write_findings
from detector.fenced import handed

WRONG, UNSUPPORTED = 2, 127


class Wrong(LookupError):  # noqa: N818 - the user's mistake, told in words
    """No class of that name, or none that is a detector."""


def made(order: Mapping[str, Any]) -> Detector:
    """The detector that is asked for; Wrong if it is none."""
    name, where = order["class"], f"module {order['module']}"
    try:
        module = import_module(order["module"])
    except ImportError as fault:
        raise Wrong(f"{where} cannot be imported: {type(fault).__name__}: {fault}") from None
    except SyntaxError as fault:
        raise Wrong(f"{where}: line {fault.lineno} of {Path(fault.filename or '').name}: {fault.msg}") from None
    found = getattr(module, name, None)
    if not isinstance(found, type):
        own = [key for key, value in vars(module).items() if isinstance(value, type) and hasattr(value, "detect")]
        raise Wrong(f"{where} has no class {name}; it has {', '.join(own) or 'none with a method detect'}")
    try:
        one = found(**order["settings"])
    except TypeError as fault:
        raise Wrong(f"{where}: class {name} cannot be made: {fault}") from None
    lacking = [word for word in ("name", "version", "needs", "detect") if not hasattr(one, word)]
    if lacking:
        raise Wrong(f"{where}: class {name} has no {', '.join(lacking)}, expected a Detector (detector/contract.py)")
    return one  # type: ignore[no-any-return]  # just looked at, and every answer of it is checked


def about(one: Detector) -> dict[str, Any]:
    """What it says of itself; Wrong for what no detector can say."""
    needs: Any = one.needs
    if isinstance(needs, str) or not all(isinstance(table, str) for table in needs):
        raise Wrong(f"needs: found {needs!r}, expected a tuple of names of tables")
    knobs = getattr(one, "knobs", ())
    if not all(isinstance(knob, Knob) for knob in knobs):
        raise Wrong(f"knobs: found {knobs!r}, expected a tuple of detector.contract.Knob")
    return {
        "name": str(one.name),
        "version": str(one.version),
        "needs": list(needs),
        "judges": hasattr(one, "judges"),
        "knobs": [vars(knob) for knob in knobs],
    }


def answers(order: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the answer, without the last."""
    one = made(order)
    if order["action"] == "about":
        yield json.dumps(about(one))
        return
    telemetry = handed(Path(order["telemetry"]))
    if order["action"] == "judges":
        ask = getattr(one, "judges", None)
        yield json.dumps(ANALYTICS if ask is None else list(ask(telemetry)))
        return
    for finding in one.detect(telemetry):
        if not isinstance(finding, Finding):
            raise TypeError(f"detect gave {finding!r}, expected findings (detector.contract.Finding)")
        yield from write_findings([finding])


def work(order: Mapping[str, Any], out: BinaryIO) -> int:
    """Writes the answer and gives the exit code."""
    said = 0
    try:
        for line in answers(order):
            out.write(line.encode() + b"\n")
            said += 1
    except Unsupported as fault:
        sys.stderr.write(f"{fault}\n")
        return UNSUPPORTED
    except Wrong as fault:
        sys.stderr.write(f"{fault}\n")
        return WRONG
    out.write(json.dumps({"said": said}).encode() + b"\n")
    out.flush()
    return 0


def main() -> None:
    """Keeps stdout for the answer and gives the class stderr instead."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        code = work(json.loads(sys.argv[1]), out)
    sys.exit(code)


if __name__ == "__main__":
    main()
