"""What tshark and Suricata say of a capture: expert information, anomalies, and the names that stand in clear.

Both are asked for more than they say by themselves: tshark to verify checksums and to wait for segments that come late,
Suricata to report decoder and stream events beside those of applications, to reassemble streams to their end and to
remember a connection for as long as it is open (by itself it forgets one after ten minutes of silence, and calls the
FIN of a push channel an anomaly).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

NOTE, WARNING, ERROR = 0x400000, 0x600000, 0x800000  # severities (epan/proto.h); below are chats and comments
SEVERITIES = {NOTE: "note", WARNING: "warning", ERROR: "error"}
MALFORMED = 0x07000000  # the group of expert information
COLUMNS = {
    "malformed": "_ws.malformed",
    "severity": "_ws.expert.severity",
    "group": "_ws.expert.group",
    "message": "_ws.expert.message",
    "protocol": "_ws.col.Protocol",
    "SNI": "tls.handshake.extensions_server_name",
    "Host": "http.host",
    "qname": "dns.qry.name",
}
NAMES = ("SNI", "Host", "qname")
BETWEEN = "\x1f"  # of several values of one field
# preferences with which it looks closer: checksums, the base64 of mail log-ins (else it warns that it does not), and
# segments in the order of their numbers (else what is sent again behind others is read in the middle of other records)
CHECKED = ("ip.check_checksum", "tcp.check_checksum", "udp.check_checksum", "smtp.decryption")
CHECKED += ("tcp.reassemble_out_of_order",)
FOREVER_S = 366 * 86_400
ANOMALY = re.compile(r"^(outputs\.\d+\.eve-log\.types\.\d+\.anomaly)\.enabled", re.MULTILINE)


@dataclass(frozen=True)
class Expert:
    """What tshark says: ``packets`` read, (severity, protocol, message) and names with how often."""

    packets: int = 0
    classes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    names: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in NAMES})


@dataclass(frozen=True)
class Anomalies:
    """What Suricata says: ``packets`` decoded, how many of them not, (type, event, application, lower port), flows."""

    packets: int = 0
    invalid: int = 0
    classes: Counter[tuple[str, str, str, int]] = field(default_factory=Counter)
    flows: int = 0


def installed(name: str) -> str | None:
    """Where that program is, None if nowhere."""
    return shutil.which(name)


def by_tshark(capture: Path) -> Expert:
    """tshark's judgement of a capture."""
    checks = [f"-o{name}:TRUE" for name in CHECKED]
    fields = [word for column in COLUMNS.values() for word in ("-e", column)]
    form = ["-Tfields", "-Eoccurrence=a", f"-Eaggregator={BETWEEN}"]
    words = ["tshark", "-n", "-r", str(capture), *checks, *form, *fields]
    packets, found = 0, Expert()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asked:
        for line in asked.stdout or ():
            packets += 1
            _add(found, dict(zip(COLUMNS, line.rstrip("\n").split("\t"), strict=True)))
        said = (asked.stderr.read() if asked.stderr else "").strip()
    if asked.returncode:
        raise RuntimeError(f"tshark left with {asked.returncode}: {said[-300:]}")
    return Expert(packets, found.classes, found.names)


def _add(found: Expert, row: dict[str, str]) -> None:
    for name in NAMES:
        found.names[name].update(one.lower() for one in row[name].split(BETWEEN) if one)
    if row["malformed"]:
        found.classes["malformed", row["protocol"], "Malformed Packet"] += 1
    if row["severity"]:
        found.classes.update(_classes(row))


def _classes(row: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    columns = (row[name].split(BETWEEN) for name in ("severity", "group", "message"))
    for severity, group, message in zip(*columns, strict=True):
        if int(group) == MALFORMED and not row["malformed"]:
            yield "malformed", row["protocol"], _shape(message)
        elif int(severity) in SEVERITIES and int(group) != MALFORMED:
            yield SEVERITIES[int(severity)], row["protocol"], _shape(message)


def _shape(message: str) -> str:
    """A message without its numbers."""
    return re.sub(r"0x[0-9a-f]+|\d+", "#", message)[:70]


@cache
def suricata_words() -> tuple[str, ...]:
    """The options with which Suricata tells all it sees; LookupError if its configuration reports no anomalies."""
    dumped = subprocess.run(["suricata", "--dump-config"], capture_output=True, text=True, check=True).stdout
    place = ANOMALY.search(dumped)
    if place is None:
        raise LookupError("suricata --dump-config names no eve-log of anomalies")
    told = [f"{place[1]}.types.{kind}=yes" for kind in ("decode", "stream", "applayer")]
    patient = [f"flow-timeouts.{kind}.established={FOREVER_S}" for kind in ("tcp", "udp")]
    values = [*told, *patient, "stream.reassembly.depth=0"]
    return ("-k", "all", "-S", "/dev/null", "--runmode", "single", *(w for v in values for w in ("--set", v)))


def by_suricata(capture: Path, folder: Path) -> Anomalies:
    """Suricata's judgement of a capture; its logs go to an empty ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["suricata", "-r", str(capture), "-l", str(folder), *suricata_words()]
    subprocess.run(words, capture_output=True, check=True)
    classes: Counter[tuple[str, str, str, int]] = Counter()
    flows, decoder = 0, {}
    with (folder / "eve.json").open(encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            flows += event["event_type"] == "flow"
            decoder = event["stats"]["decoder"] if event["event_type"] == "stats" else decoder
            if event["event_type"] == "anomaly":
                classes[_anomaly(event)] += 1
    return Anomalies(decoder["pkts"], decoder["invalid"], classes, flows)


def _anomaly(event: dict) -> tuple[str, str, str, int]:
    said = event["anomaly"]
    port = min(event.get("src_port", 0), event.get("dest_port", 0))  # servers' lie below clients', mostly
    return said["type"], said.get("event", str(said.get("code", ""))), said.get("app_proto", ""), port
