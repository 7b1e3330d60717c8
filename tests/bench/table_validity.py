"""The validity of all recordings: every scenario of suite full and of the month and bad networks, read by two judges.

Writes docs/validity.md. Each scenario is cut to at most three phones, recorded on the wire in a process of its own, read
by tshark and Suricata, and deleted. Exit code 0: nothing is wrong; 1: something is; 3: something could not be judged.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

import judges
import tolerances

from lab.authoring.plans import AppPlan, Scenario
from lab.authoring.settings import LAB_GROUPS, LAB_NETWORKS
from lab.recording import CAPTURE, open_recording
from lab.scenario import compile_scenario, find_scenario, load_scenario, load_suite
from lab.shelf import shelf
from lab.stages import play
from lab.timeline import Timeline

ROOT = Path(__file__).resolve().parents[2]
SUITE, PHONES, SEED = "full", 3, 1
GRACE_S = 3600  # of one program over one scenario: beyond it, it hangs
NEEDED_S, NEEDED_MIB, CORES = 20 * 60, 4096, 2
NOTHING_WRONG, WRONG, FAILED = 0, 1, 3
SERVICE = re.compile(r"(_[a-z0-9-]+\.)+_(tcp|udp)\.local")  # of DNS-SD (RFC 6763), asked of neighbours


def scenarios() -> tuple[str, ...]:
    """Suite full, and what is in no suite of single days: the month and the bad networks."""
    more = [name for name, path in sorted(shelf().items()) if path.parent.name == "month" or name.startswith("net-")]
    full = load_suite(SUITE).scenarios
    return (*full, *(name for name in more if name not in full))


def cut(scenario: Scenario, phones: int, span: int | None = None) -> Scenario:
    """The scenario on at most so many phones, and perhaps only its beginning, of so many microseconds."""
    end = min(scenario.span, span or scenario.span)
    apps = (_cut(app, phones, end) for app in scenario.apps if app.installed < end)
    return replace(scenario, devices=min(scenario.devices, phones), span=end, apps=tuple(apps))


def _cut(app: AppPlan, phones: int, end: int) -> AppPlan:
    moves, removed = (None if one is None or one >= end else one for one in (app.moves, app.removed))
    return replace(app, on=min(app.on, phones), moves=moves, removed=removed)


def clear_names(timeline: Timeline) -> tuple[set[str], set[str]]:
    """The names that may stand in clear, and the zones whose names may."""
    told = {value for speech in timeline.speeches for key in ("sni", "host") if (value := speech.options.get(key))}
    names = {host.name for host in timeline.hosts if host.name}
    return {one.lower() for one in names | told}, names


def strangers(seen: Iterable[str], names: set[str], zones: set[str]) -> list[str]:
    """The names among ``seen`` that the timeline does not hold, and addresses outside the lab; ports do not count."""
    bare = {re.sub(r"(?<!:):\d+$", "", one).strip("[]") for one in seen}
    return sorted(
        one
        for one in bare - names
        if not lab_address(one) and not SERVICE.fullmatch(one) and not any(one.endswith("." + zone) for zone in zones)
    )


def lab_address(text: str) -> bool:
    """Whether it is an address that may stand in a recording."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return text in LAB_GROUPS or any(address in network for network in LAB_NETWORKS)


def recorded(name: str, folder: Path) -> dict[str, Any]:
    """Records a scenario here and says what it took, and what names its timeline holds."""
    timeline = compile_scenario(cut(load_scenario(find_scenario(name)), PHONES), SEED)
    play("wire", timeline, folder)
    use = resource.getrusage(resource.RUSAGE_SELF)
    entry = open_recording(folder).files[CAPTURE]
    names, zones = clear_names(timeline)
    return {
        "scenario": name,
        "phones": len(timeline.devices),
        "hours": timeline.span / 3.6e9,
        "lossy": timeline.network.loss > 0,
        "conversations": len(timeline.conversations.start),
        "packets": entry["packets"],
        "bytes": entry["bytes"],
        "cpu_s": use.ru_utime + use.ru_stime,
        "peak_mib": use.ru_maxrss / 1024,
        "names": sorted(names),
        "zones": sorted(zones),
    }


def judged(name: str, scratch: Path) -> dict[str, Any]:
    """A row: the scenario recorded by another process, read by both judges, and deleted."""
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        folder = Path(place) / "recording"
        before = time.perf_counter()
        words = [sys.executable, __file__, "--record", name, str(folder)]
        made = subprocess.run(words, capture_output=True, text=True, timeout=GRACE_S, check=False)
        if made.returncode:
            return {"scenario": name, "fault": (made.stderr.strip().splitlines() or ["nothing said"])[-1][:200]}
        row = json.loads(made.stdout.splitlines()[-1])
        row["wall_s"] = time.perf_counter() - before
        try:
            row |= heard(folder / CAPTURE, Path(place) / "eve", set(row.pop("names")), set(row.pop("zones")))
        except (OSError, RuntimeError, subprocess.SubprocessError) as fault:
            row["fault"] = f"not judged: {fault}"[:200]
    return row


def heard(capture: Path, logs: Path, names: set[str], zones: set[str]) -> dict[str, Any]:
    """What both judges say of a capture, in plain JSON values."""
    expert, anomalies = judges.by_tshark(capture), judges.by_suricata(capture, logs)
    said = [["tshark", *map(str, what), count] for what, count in expert.classes.items()]
    said += [["Suricata", *map(str, what), count] for what, count in anomalies.classes.items()]
    if anomalies.invalid:
        said.append(["Suricata", "decode", "invalid", "", "0", anomalies.invalid])
    seen = {name: set(found) for name, found in expert.names.items()}
    return {
        "read": [expert.packets, anomalies.packets],
        "flows": anomalies.flows,
        "classes": said,
        "clear": len(set().union(*seen.values())),
        "strangers": strangers(set().union(*seen.values()), names, zones),
    }


def _given(row: dict[str, Any]) -> frozenset[str]:
    return tolerances.given(lossy=row["lossy"], conversations=row.get("conversations", 0))


def wrong(row: dict[str, Any]) -> list[str]:
    """What is wrong with a row, in words."""
    if "fault" in row:
        return [row["fault"]]
    counts = {tuple(what): count for *what, count in row["classes"]}
    found = [f"{counts[what]} x {' '.join(what)}" for what in tolerances.untolerated(counts, _given(row))]
    found += [f"name of nobody: {one}" for one in row["strangers"][:3]]
    read = zip(("tshark", "Suricata"), row["read"], strict=True)
    return found + [f"{who} read {n} of {row['packets']} packets" for who, n in read if n != row["packets"]]


HEAD = """# Validity of the recordings

Made by `make bench-validity`: every scenario of suite `{suite}`, of the month and of the bad networks, on at most
{phones} phones with seed {seed}, is recorded on the wire, read whole by tshark and by Suricata, and deleted. tshark verifies
checksums; its classes are those of its expert information from *note* up. Suricata verifies checksums too, and reports
anomalies of its decoders, its stream engine and its application parsers; it reassembles streams to their end and
forgets no connection before it is closed. *Names* are those that tshark finds in SNIs, Host headers and DNS questions;
all must be the timeline's. Seconds and peak memory are of the recording process, imports included.
"""


def page(rows: Sequence[dict[str, Any]]) -> str:
    """The document."""
    good = [row for row in rows if "fault" not in row]
    text = [HEAD.format(suite=SUITE, phones=PHONES, seed=SEED), *_overview(rows, good), "", "## Classes", ""]
    text += ["| said by | class | times | scenarios | tolerated |", "|---|---|--:|--:|---|", *_classes(good), ""]
    text += ["## Scenarios", "", "| scenario | h | packets | CPU s | s | peak MiB | malformed | errors | warnings |"]
    text[-1] += " decoder | stream | application | names | wrong |"
    text += ["|---|" + "--:|" * 12 + "---|", *map(_line, rows)]
    return "\n".join(text) + "\n"


def _overview(rows: Sequence[dict], good: Sequence[dict]) -> Iterator[str]:
    bad = sum(bool(wrong(row)) for row in rows)
    yield f"{len(rows)} scenarios, {sum(row['packets'] for row in good):,} packets: {bad or 'none'} with something wrong."
    lossy = [row["scenario"] for row in good if row["lossy"]]
    yield f"Packets are lost on purpose in {len(lossy)} of them: {', '.join(lossy) or 'none'}."
    full = [row for row in good if row["scenario"] in load_suite(SUITE).scenarios]
    cpu, wall = (sum(row[key] for row in full) for key in ("cpu_s", "wall_s"))
    peak = max((row["peak_mib"] for row in full), default=0.0)
    verdicts = ["held" if one / CORES <= NEEDED_S else "not held" for one in (cpu, wall)]
    memory = "held" if CORES * peak <= NEEDED_MIB else "not held"
    yield ""
    yield f"Suite `{SUITE}` on the wire alone: {len(full)} of {len(load_suite(SUITE).scenarios)} scenarios, one process each."
    yield f"{cpu:,.0f} CPU seconds are {cpu / CORES / 60:.1f} minutes on {CORES} cores (needed: {NEEDED_S // 60}): {verdicts[0]}."
    yield f"By the clock, beside judges and whatever else the machine did, {wall / CORES / 60:.1f} minutes: {verdicts[1]}."
    yield f"At most {peak:,.0f} MiB per process, {CORES} at a time (needed: {NEEDED_MIB:,} MiB): {memory}."


def _classes(rows: Iterable[dict]) -> Iterator[str]:
    times: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        for *what, count in row["classes"]:
            shown = (*what[:1], " ".join(what[1:]), tolerances.why(tuple(what), _given(row)) or "**no**")
            sums = times.setdefault(shown, [0, 0])
            sums[0], sums[1] = sums[0] + count, sums[1] + 1
    for (who, what, why), (count, among) in sorted(times.items()):
        yield f"| {who} | {what} | {count:,} | {among} | {why} |"


def _line(row: dict[str, Any]) -> str:
    if "fault" in row:
        return f"| {row['scenario']} |" + " |" * 12 + f" **{row['fault']}** |".replace("\n", " ")
    kinds = ("malformed", "error", "warning", "decode", "stream", "applayer")
    counted = [sum(count for _, kind, *_, count in row["classes"] if kind == one) for one in kinds]
    numbers = [f"{row['hours']:.0f}", f"{row['packets']:,}", f"{row['cpu_s']:.1f}", f"{row['wall_s']:.1f}"]
    cells = [row["scenario"], *numbers, f"{row['peak_mib']:.0f}", *map(str, counted), str(row["clear"])]
    return "| " + " | ".join([*cells, "; ".join(wrong(row)).replace("|", "/")]) + " |"


def table(names: Sequence[str], given: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of those scenarios, in their order; those that stand in ``given.rows`` already are not made again."""
    lines = given.rows.read_text().splitlines() if given.rows and given.rows.exists() else []
    known = {row["scenario"]: row for row in map(json.loads, lines)}
    missing = [name for name in names if name not in known]
    with tempfile.TemporaryDirectory(prefix="droidrange-validity-") as scratch, ThreadPoolExecutor(given.jobs) as pool:
        for row in pool.map(lambda name: judged(name, Path(scratch)), missing):
            known[row["scenario"]] = row
            print(f"{row['scenario']}: {'; '.join(wrong(row)) or 'nothing wrong'}", flush=True)
            if given.rows:
                with given.rows.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    return [known[name] for name in names]


def main(words: Sequence[str] | None = None) -> int:
    """Records, judges, prints and writes."""
    options = argparse.ArgumentParser(description="The validity of all recordings.")
    options.add_argument("names", nargs="*", help="scenarios; default: suite full, the month and bad networks")
    options.add_argument("--jobs", type=int, default=CORES)
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "validity.md")
    options.add_argument(
        "--rows", type=Path, help="file to keep the rows in: those that stand there are not made again"
    )
    options.add_argument(
        "--record", nargs=2, metavar=("NAME", "FOLDER"), help="record one scenario and say what it took"
    )
    given = options.parse_args(words)
    if given.record:
        print(json.dumps(recorded(given.record[0], Path(given.record[1]))))
        return NOTHING_WRONG
    absent = [name for name in ("tshark", "suricata") if judges.installed(name) is None]
    if absent:
        print(f"not installed: {', '.join(absent)}; nothing is judged without", file=sys.stderr)
        return FAILED
    rows = table(given.names or scenarios(), given)
    given.out.write_text(page(rows), encoding="utf-8")
    if any("fault" in row for row in rows):
        return FAILED
    return WRONG if any(map(wrong, rows)) else NOTHING_WRONG


if __name__ == "__main__":
    raise SystemExit(main())
