"""Zeek run over a capture behind the fence, and the notices of its notice.log as hits.

Fields of notice.log as written by base/frameworks/notice (from memory); the log is asked for as JSON. Notices of types
that the script does not define are Zeek's own remarks and none of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.contract import Telemetry, Unsupported
from detector.fenced import Failed, Limits, hand_over, run
from detector.fenced.handed import CAPTURE
from detector.foreign.zeek_script import Script, notice_analytic
from detector.named_alerts import Hit

PLACES = ("/opt/zeek/bin", "/usr/local/zeek/bin")  # where Zeek's own packages put it
INSTALL = "install Zeek (https://docs.zeek.org/en/current/install.html) so that zeek is on the PATH"
LIMITS = Limits()
LOG = "notice.log"


@dataclass(frozen=True)
class Zeek:
    """An installed Zeek: its program, the folder that holds all of it, its version."""

    program: Path
    prefix: Path
    version: str


def installed() -> Zeek:
    """The Zeek of this machine; Unsupported where there is none, Failed where it does not say its version."""
    found = shutil.which("zeek", path=os.pathsep.join([os.environ.get("PATH", ""), *PLACES]))
    if found is None:
        raise Unsupported(f"zeek: there is no Zeek on this machine; {INSTALL}")
    program = Path(found).absolute()
    prefix = program.parents[1]
    with tempfile.TemporaryDirectory(prefix="") as folder:
        ended = run([str(program), "--version"], folder=Path(folder), reads=[prefix], limits=Limits(seconds=60.0))
    words = ended.stdout.decode(errors="replace").split()
    if ended.code != 0 or not words:
        raise Failed(f"{program} --version ended with code {ended.code}: {ended.told}")
    return Zeek(program, prefix, words[-1])


def noticed(script: Script, zeek: Zeek, telemetry: Telemetry, limits: Limits = LIMITS) -> list[Hit]:
    """The notices of the script on the capture, in the order of the log; Failed where Zeek fails or gives junk."""
    own = script.path.absolute()
    beside = [own] if own.is_dir() else [path for path in own.parent.iterdir() if path.suffix == own.suffix]
    with tempfile.TemporaryDirectory(prefix="") as name:
        folder = Path(name)
        hand_over(Telemetry({}, telemetry.span, capture=telemetry.capture), folder / "given")
        settings = ["LogAscii::use_json=T", "LogAscii::json_timestamps=JSON::TS_EPOCH"]
        command = [str(zeek.program), "-C", "-r", f"given/{CAPTURE}", *settings, str(own)]
        ended = run(command, folder=folder, reads=[zeek.prefix, folder / "given", *beside], limits=limits)
        if ended.code != 0:
            raise Failed(f"zeek ended with code {ended.code}: {ended.told}")
        log = folder / LOG
        return list(hits(log.read_bytes(), script)) if log.is_file() else []


def hits(log: bytes, script: Script) -> Iterator[Hit]:
    """The hits in a notice.log of JSON lines; Failed, with its line, for one that is no notice."""
    for number, line in enumerate(log.splitlines(), 1):
        try:
            row = json.loads(line)
            kind = str(row["note"])
            if kind.rpartition("::")[2] not in script.notices:
                continue
            hit = _hit(row, kind, script)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as fault:
            raise Failed(f"{LOG}, line {number}: {type(fault).__name__}: {fault}; expected a notice as JSON") from None
        yield hit


def _hit(row: dict[str, Any], kind: str, script: Script) -> Hit:
    said = " ".join(str(row[name]) for name in ("msg", "sub") if row.get(name))
    return Hit(
        analytic=notice_analytic(f"{kind} {said}", script),
        time=round(float(row["ts"]) * 1e6),
        client=str(row.get("id.orig_h") or row.get("src") or ""),
        client_port=int(row.get("id.orig_p") or 0),
        server=str(row.get("id.resp_h") or row.get("dst") or ""),
        server_port=int(row.get("id.resp_p") or row.get("p") or 0),
        proto=str(row.get("proto") or "tcp"),
        score=1.0,
        severity="medium",
        text=f"Zeek notice {kind}: {said}",
        rule=kind,
    )
