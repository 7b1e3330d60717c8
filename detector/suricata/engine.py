"""Suricata itself: configured, run behind the fence on a capture, and made to prove that it did what was asked.

It ends with 0 after a truncated capture, after a rule it has skipped and after running out of its memory; so its log
and its own counts are read, and whatever is not as it should be is a Failed trial.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from detector.contract import Telemetry, Unsupported
from detector.fenced import Ended, Failed, run
from detector.junk import JunkError
from detector.suricata.eve import Alert, alert_of, events, joined, limited
from detector.suricata.rules import Rule

INSTALL = "apt-get install suricata (Debian 12: -t bookworm-backports), or see suricata.io"
LEAST = 7  # the major version whose keywords and log the tests know
TEMPLATE = Path(__file__).with_name("engine.yaml")
#: Settings that every package of Suricata installs: classes of rules with their priorities, systems of references.
SETTINGS = Path("/etc/suricata")
INSTALLED = ("classification.config", "reference.config")
#: RFC 1918, RFC 4193, RFC 4291, as in the configuration that Suricata installs.
HOME = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")
#: Counters of flows that were ended early because there was no room for new ones.
FORCED = ("emerg_mode_entered", "get_used")
LISTED = 3  # faults told in one message
_PLACE = re.compile(r"error parsing signature .* from file \S+ at line (\d+)$", re.DOTALL)
_LOADED = re.compile(r"^\s*load\s+(\S+)\s*$")


@dataclass(frozen=True)
class Engine:
    """An installed Suricata."""

    program: str
    version: str


@cache
def installed() -> Engine:
    """The Suricata on PATH; Unsupported, with how to install it, where there is none or an older one."""
    program = shutil.which("suricata")
    if program is None:
        raise Unsupported(f"found no suricata on PATH; install it: {INSTALL}")
    said = subprocess.run([program, "-V"], capture_output=True, text=True, check=False, timeout=60).stdout  # noqa: S603 - the program that the user's PATH names
    match = re.search(r"version (\d+)([\w.-]*)", said)
    if match is None or int(match[1]) < LEAST:
        raise Unsupported(f"found {said.strip()!r} from {program} -V, expected Suricata {LEAST} or later: {INSTALL}")
    return Engine(program, match[1] + match[2])


def look(rules: Sequence[Rule], telemetry: Telemetry, *, whole: bool = False) -> list[Alert]:
    """The alerts of the rules on the telemetry's capture, one for each flow and rule, or the ``whole`` of them.

    Of a capture without packets there are none; the rules are tried all the same.

    Unsupported without a capture or without Suricata; Failed where it was ended, did not load every rule, did not
    read every packet, dropped some for want of memory, or wrote junk.
    """
    if telemetry.capture is None:
        raise Unsupported(f"Suricata reads packets; this telemetry (view {telemetry.view}) has no capture")
    engine = installed()
    with tempfile.TemporaryDirectory(prefix="") as name:
        folder = Path(name) / "cell"
        folder.mkdir()
        folder.chmod(0o777)  # behind the fence Suricata is nobody, and asks access(2) first; nobody else passes 0o700
        configure(folder, rules, telemetry)
        capture = telemetry.capture.resolve()
        idle = telemetry.packets == 0  # it does not begin on a capture without packets, and waits a minute to say so
        words = [engine.program, "-c", "suricata.yaml", "-S", "rules", "-l", ".", "--init-errors-fatal"]
        words += ["-T"] if idle else ["-r", str(capture), "-k", "none"]
        ended = run(words, folder=folder, reads=[capture, Path(engine.program)])
        _check_log(folder, rules, ended, partial=telemetry.partial is not None)
        found = [] if idle else _checked(folder / "eve.json", rules, telemetry)
        return found if whole else joined(found)


def configure(folder: Path, rules: Sequence[Rule], telemetry: Telemetry) -> None:
    """Writes suricata.yaml, the rules (one a line, so that a line is a rule's number), and lists that they load."""
    text = TEMPLATE.read_text(encoding="utf-8").replace("@HOME_NET@", ",".join(home(telemetry)))
    (folder / "suricata.yaml").write_text(text, encoding="utf-8")
    for name in INSTALLED:
        known = SETTINGS / name
        (folder / name).write_bytes(known.read_bytes() if known.is_file() else b"")
    (folder / "threshold.config").write_bytes(b"")
    lines = "".join(rule.text + "\n" for rule in rules)
    (folder / "rules").write_bytes(lines.encode("utf-8", "surrogateescape"))
    for rule in rules:
        for place, source in _lists(rule):
            target = folder / place
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def home(telemetry: Telemetry) -> list[str]:
    """HOME_NET: the private networks, and the /64 (IPv6) or address of every monitored device outside of them."""
    nets = [ipaddress.ip_network(block) for block in HOME]
    found: list[str] = [*HOME]
    if "flows" in telemetry and len(telemetry["flows"]):
        flows = telemetry["flows"]
        local: Any = pc.unique(pc.if_else(flows["inbound"], flows["server"], flows["client"]))
        for text in sorted(one for one in local.to_pylist() if one):
            address = ipaddress.ip_address(text)
            if any(address in net for net in nets if net.version == address.version):
                continue
            found.append(str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else text)
    return list(dict.fromkeys(found))


def _lists(rule: Rule) -> Iterator[tuple[Path, Path]]:
    """The lists (dataset, datarep) that a rule loads from beside its file: where Suricata looks, and where they are."""
    for name, value in rule.options:
        for part in value.split(",") if name in ("dataset", "datarep") else ():
            if match := _LOADED.match(part):
                place = Path(match[1])
                if not place.is_absolute() and ".." not in place.parts:
                    yield place, rule.path.parent / place


def _check_log(folder: Path, rules: Sequence[Rule], ended: Ended, *, partial: bool) -> None:
    """Failed for every error that Suricata logged, with file and line where it is a rule's; a cut capture is known."""
    faults, why = [], ""
    for line in _lines(folder / "log.json"):
        try:
            row = json.loads(line)
            level, said = row["log_level"], row["engine"]["message"]
        except (ValueError, LookupError, TypeError):
            raise Failed(f"Suricata's log has {line[:80]!r}, expected JSON of its engine") from None
        if level not in ("Error", "Critical", "Emergency", "Alert"):
            continue
        if match := _PLACE.search(said):
            rule = rules[int(match[1]) - 1]
            faults.append(f"{rule.place}: Suricata does not load this rule: {why or 'it does not parse'}")
            why = ""
        elif "Loading signatures failed" not in said and not (partial and "truncated dump file" in said):
            why = f"{why}; {said}" if why else said
    if why:
        faults.append(f"Suricata: {why}")
    if faults:
        more = f" (and {len(faults) - LISTED} more)" if len(faults) > LISTED else ""
        raise Failed("; ".join(faults[:LISTED]) + more)
    if ended.code:
        raise Failed(f"Suricata ended with code {ended.code}, expected 0: {ended.told}")


def _checked(path: Path, rules: Sequence[Rule], telemetry: Telemetry) -> list[Alert]:
    """The alerts in Suricata's output, its counts proved."""
    stats: dict[str, Any] = {}

    def alerts() -> Iterator[Alert]:
        for number, row in events(_lines(path)):
            if row["event_type"] == "stats":
                stats.update(row.get("stats", {}))
            elif row["event_type"] == "alert":
                yield alert_of(number, row)

    try:
        found = list(limited(alerts()))
        _check_counts(stats, rules, telemetry)
    except JunkError as fault:
        raise Failed(f"Suricata's eve.json: {fault}") from None
    return found


def _check_counts(stats: dict[str, Any], rules: Sequence[Rule], telemetry: Telemetry) -> None:
    """Failed unless as many packets were read as there are, every rule was loaded, and nothing was dropped."""
    try:
        packets, engines = stats["decoder"]["pkts"], stats["detect"]["engines"]
        loaded, failed, skipped = (
            sum(engine[name] for engine in engines) for name in ("rules_loaded", "rules_failed", "rules_skipped")
        )
    except (LookupError, TypeError):
        raise Failed("Suricata's eve.json has no stats of packets and rules: it did not come to its end") from None
    if loaded != len(rules) or failed or skipped:
        asking = [rule.place for rule in rules if any(name == "requires" for name, _ in rule.options)]
        where = f"; what a rule requires may be lacking: {', '.join(asking[:LISTED])}" if asking else ""
        raise Failed(
            f"Suricata loaded {loaded} of {len(rules)} rules ({failed} failed, {skipped} skipped), expected all{where}"
        )
    if telemetry.packets is not None and packets != telemetry.packets:
        raise Failed(f"Suricata read {packets:,} packets of the capture, expected {telemetry.packets:,}")
    if dropped := sorted(_dropped(stats)):
        raise Failed(f"Suricata ran out of memory and left traffic uninspected: {', '.join(dropped[:LISTED])}")


def _dropped(stats: dict[str, Any], path: str = "") -> Iterator[str]:
    """The counters of what was dropped or cut short at a memory cap, where they are not 0."""
    for name, value in stats.items():
        if isinstance(value, dict):
            yield from _dropped(value, f"{path}{name}.")
        elif isinstance(value, int) and value and ("memcap" in name or name in FORCED) and "pressure" not in name:
            yield f"{path}{name} {value:,}"


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file that Suricata was to write; none where it did not."""
    if path.is_file() and not path.is_symlink():
        with path.open("rb") as file:
            yield from file
