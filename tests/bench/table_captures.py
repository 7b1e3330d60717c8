"""A table over the real captures beside the checkout: what we read, what tshark reads, what was found and expected.

Written to docs/captures.md by ``make captures``. Nothing here decides a test; tests/detector/test_captures.py does.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from detector.contract import detector, open_telemetry

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT.parent / "shared" / "data" / "captures"
HEAD = """# Real captures

Made by `make captures` from the captures that the founders keep beside the checkout (they are not part of the project).
*Packets* is what droidrange reads, *tshark* what tshark reads. *Alerts* are findings above the threshold, with their
severity; *expected* is what the captures' own manifest says a correct detector reports. No inventory, device state or
baseline exists for these captures, so every severity is capped accordingly. They are no independent evidence: they are
public, some were seen while the detector was developed, and limits of AN1793 were set by hand so that they come out right.

| capture | packets | tshark | flows | s | alerts | expected |
|---|--:|--:|--:|--:|---|---|
"""


def tshark_packets(path: Path) -> int | None:
    if shutil.which("tshark") is None:
        return None
    words = ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.number"]
    return len(subprocess.run(words, capture_output=True, check=True).stdout.splitlines())


def expected(entry: dict) -> str:
    said = entry["expected"]
    must = said.get("must_alert")
    rows = must if isinstance(must, list) else []
    wanted = [f"AN1793 {row['src']} to {row['dst']}, {row['contacts']} contacts" for row in rows]
    if "relay_host" in said:
        wanted.append(f"AN1702 {said['relay_host']}" + (" (must)" if must else ""))
    if said["verdict"] in ("benign", "sanctioned_vpn_or_proxy_app", "sanctioned_remote_access"):
        wanted.append(f"none ({said['verdict']})")
    return "; ".join(wanted) or said["verdict"]


def row(entry: dict, path: Path) -> str:
    before = time.perf_counter()
    telemetry = open_telemetry(path)
    found = [finding for finding in detector("builtin").detect(telemetry) if finding.alert]
    spent = time.perf_counter() - before
    alerts = "; ".join(f"{one.analytic} {one.device} {one.peer or ''} ({one.severity})" for one in found) or "none"
    flows = len(set(telemetry["flows"]["flow"].to_pylist()))
    theirs = tshark_packets(path)
    shown = "not run" if theirs is None else str(theirs)
    mark = "" if theirs in (None, telemetry.packets) else " DIFFERS"
    return f"| {entry['id']} | {telemetry.packets}{mark} | {shown} | {flows} | {spent:.2f} | {alerts} | {expected(entry)} |"


def main() -> None:
    if not CAPTURES.is_dir():
        sys.exit("the captures are not beside this checkout: nothing to tabulate")
    rows = []
    for entry in json.loads((CAPTURES / "manifest.json").read_text())["entries"]:
        names = [file["file"] for file in entry["files"] if file["file"].endswith((".pcap", ".pcapng"))]
        rows += [row(entry, CAPTURES / name) for name in names]
    text = HEAD + "\n".join(rows) + f"\n\n{len(rows)} captures.\n"
    (ROOT / "docs" / "captures.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
