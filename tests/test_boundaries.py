"""Who may import whom (DESIGN section 6), read from the sources on disk."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for folder in ("lab", "detector") for path in (ROOT / folder).rglob("*.py"))

# from low to high: a module may import its own layer and those before it; every module of lab has a layer
LAYERS = (
    ("lab", "lab.errors", "lab.console", "lab.shelf", "lab.seeds", "lab.store", "lab.parquet"),
    ("lab.protocols",),
    ("lab.behaviours", "lab.habits"),
    ("lab.network", "lab.timeline"),
    ("lab.phones",),
    ("lab.authoring",),
    ("lab.world",),
    ("lab.scenario",),
    ("lab.recording", "lab.truth"),
    ("lab.devices",),
    ("lab.stages",),
    ("lab.scoring", "lab.score"),
    ("lab.injecting",),
    ("lab.inject",),
    ("lab.report",),
    ("lab.running",),
    ("lab.gate",),
    ("lab.comparing",),
    ("lab.tuning",),
    (
        *("lab.baselines", "lab.detection", "lab.explaining", "lab.exporting", "lab.handing_on"),
        *("lab.inspection", "lab.doctor"),
    ),
    ("lab.replaying",),
    ("lab.replay",),
    ("lab.catalogue",),
    ("lab.asserting",),
    (
        "lab.pytest_plugin",
        "lab.options",
        "lab.cli_baseline",
        "lab.cli_canary",
        "lab.cli_catalogue",
        "lab.cli_detect",
        "lab.cli_compare",
        "lab.cli_export",
        "lab.cli_gate",
        "lab.cli_inject",
        "lab.cli_lab",
        "lab.cli_record",
        "lab.cli_replay",
        "lab.cli_tune",
        "lab.cli_wire",
        "lab.cli",
        "lab.entry",
    ),
)
# what lab may know of the detector: contract, capture reader, baseline; adapters come by name through the contract
LAB_MAY_KNOW = ("detector.contract", "detector.explanation", "detector.baseline", "detector.capture")
ONLY_IN = {
    "scapy": ("lab/stages/", "lab/replay.py", "lab/replaying/", "lab/inject.py", "lab/protocols/"),
    "docker": ("lab/stages/live/", "detector/adapters/image.py"),
    "adbutils": ("lab/devices/",),
    "mitmproxy": ("lab/stages/live/gateway/",),
    "faker": ("lab/",),
    "pytest": ("lab/pytest_plugin.py", "lab/asserting/items.py"),
    "typer": (
        "lab/cli.py",
        "lab/cli_baseline.py",
        "lab/cli_canary.py",
        "lab/cli_catalogue.py",
        "lab/cli_detect.py",
        "lab/cli_compare.py",
        "lab/cli_export.py",
        "lab/cli_lab.py",
        "lab/cli_gate.py",
        "lab/cli_inject.py",
        "lab/cli_record.py",
        "lab/cli_replay.py",
        "lab/cli_wire.py",
        "lab/cli_tune.py",
        "lab/options.py",
        "lab/console.py",
    ),
}
#: Modules of the gate that judge; the others open files.
JUDGING = tuple(
    f"lab/gate/{name}.py"
    for name in (
        *("again", "compare", "defaults", "faults", "grammar", "measures", "mutants", "named", "outcome", "pairs"),
        *("planting", "selection", "significance", "specimen", "verdicts", "words"),
    )
)
PURE = (
    *("lab/asserting/quantity.py", "lab/asserting/judged.py"),
    *("lab/behaviours/", "lab/habits/", "lab/protocols/", "lab/scoring/", "lab/score.py", "detector/features/"),
    *JUDGING,
    *(f"lab/comparing/{name}.py" for name in ("changes", "common", "trend", "trend_words", "words")),
)
NO_IO = {"socket", "time", "pathlib", "docker", "subprocess", "os", "random", "requests", "asyncio", "threading"}
# real handshakes need OpenSSL, a passed-in key log path and the recorded data file; nothing else
IO_ALLOWED = {
    "lab/protocols/real_tls.py": {"pathlib", "os"},
}


def imports(text: str) -> set[str]:
    """The dotted names a source imports, relative imports excluded (ruff forbids them by taste, this by rule)."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def layer_of(name: str) -> int | None:
    """The layer of a module or of a name in it, by its first two parts."""
    stem = ".".join(name.split(".")[:2])
    return next((rank for rank, layer in enumerate(LAYERS) if stem in layer), None)


def breaches(relative: str, text: str) -> list[str]:
    """Every rule that a source breaks, in words."""
    names = imports(text)
    module = relative.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    found = []
    if relative.startswith("detector/"):
        found += [f"detector imports {name}" for name in names if within(name, "lab")]
    else:
        known = [name for name in names if within(name, "detector") and name != "detector"]
        found += [f"lab imports {name}" for name in known if not any(within(name, ok) for ok in LAB_MAY_KNOW)]
    for package, places in ONLY_IN.items():
        if any(within(name, package) for name in names) and not relative.startswith(places):
            found.append(f"{package} is imported outside {places}")
    if relative.startswith(PURE):
        allowed = IO_ALLOWED.get(relative, set())
        found += [f"pure module imports {name}" for name in names if name.split(".")[0] in NO_IO - allowed]
    if relative.startswith("lab/"):
        own = layer_of(module)
        found += [] if own is not None else [f"{module} has no layer: give it one in LAYERS"]
        lab_names = {name for name in names if within(name, "lab") and layer_of(name) is not None}
        found += [
            f"{module} imports {name}, which is above it"
            for name in lab_names
            if own is not None and layer_of(name) > own
        ]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_keeps_the_boundaries(path):
    assert breaches(str(path.relative_to(ROOT)), path.read_text()) == []


@pytest.mark.parametrize(
    ("relative", "text"),
    [
        ("detector/features/x.py", "from lab import score"),
        ("detector/x.py", "import lab.timeline"),
        ("lab/score.py", "from detector.features import regularity"),
        ("lab/behaviours/x.py", "import socket"),
        ("lab/protocols/x.py", "from lab.behaviours import Batch"),
        ("lab/timeline.py", "from lab.stages import wire"),
        ("lab/report/html.py", "import scapy.all"),
        ("lab/stages/wire.py", "import docker"),
        ("detector/capture/pcap.py", "import scapy.all"),
        ("lab/scenario.py", "import typer"),
        ("lab/newcomer.py", "x = 1"),
        ("lab/truth.py", "from lab.score import score"),
        ("lab/scoring/ranking.py", "import pathlib"),
        ("lab/gate/verdicts.py", "import pathlib"),
        ("lab/gate/pairs.py", "from lab.cli import app"),
        ("lab/devices/adb.py", "from lab.stages import wire"),
    ],
)
def test_a_breach_is_found(relative, text):
    assert breaches(relative, text) != []
