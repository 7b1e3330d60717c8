"""The table of docs/telemetry.md: incidents found in each form of telemetry, over recordings of scenarios.

``.venv/bin/python tests/bench/table_telemetry.py RECORDING...`` prints it, with what Suricata itself writes where it is
installed. Nothing here decides a test; tests/lab/test_telemetry_forms.py does.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq

VIEWS = ("full", "no-state", "no-app", "netflow", "dns-only")


def _forms() -> ModuleType:
    """The module telemetry_forms.py beside this file."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    spec = spec_from_file_location("telemetry_forms", Path(__file__).with_name("telemetry_forms.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["telemetry_forms"] = module
    spec.loader.exec_module(module)
    return module


def cells(recording: Path) -> Iterator[tuple[str, str]]:
    """(form or view, incidents found of all and alerts that are of none)."""
    forms = _forms()
    every = pq.read_table(recording / "truth" / "incidents.parquet").num_rows

    def cell(name: str, telemetry: object) -> tuple[str, str]:
        seen = forms.judged(recording, name, telemetry)
        return name, f"{len(seen.found)}/{every} +{seen.others}"

    for name in VIEWS:
        yield cell(f"view {name}", forms.viewed(recording, name))
    with tempfile.TemporaryDirectory() as folder:
        for form, telemetry in forms.forms(recording, Path(folder)):
            yield cell(form.name, telemetry)
        if forms.has_suricata():
            yield cell("EVE of Suricata itself", forms.suricata(recording, Path(folder)))


def main(recordings: list[Path]) -> None:
    columns = {recording.name: dict(cells(recording)) for recording in recordings}
    print(f"| form | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
    for name in next(iter(columns.values())):
        print(f"| {name} | {' | '.join(column.get(name, '-') for column in columns.values())} |")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
