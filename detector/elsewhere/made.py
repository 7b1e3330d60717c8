"""What a file of another tool says of this telemetry, as findings; what it says of other telemetry is a fault.

Findings and alerts do not say which capture they were made of. A device, an app or a time that is none of the
telemetry's, or not one alert that any flow explains, shows that it was another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from detector.contract import Finding, Telemetry, rfc3339
from detector.elsewhere import rita, slips
from detector.elsewhere.forms import EVE, NATIVE, RITA, SLIPS, lines_of
from detector.elsewhere.pairs import Pairs, Verdict
from detector.fenced import Failed, taken
from detector.junk import JunkError
from detector.named_alerts import Hit, alerted, rows_of
from detector.rule_analytic import KEY, analytic_of
from detector.signature import Signature
from detector.suricata.eve import alert_of, events, joined, limited
from detector.suricata.rules import TECHNIQUE

EARLY_US = LATE_US = 86_400_000_000  # a tool's clock, or its time zone, may be off by less than a day
VERDICTS: Mapping[str, Callable[[Iterable[bytes]], Iterator[Verdict]]] = {RITA: rita.verdicts, SLIPS: slips.verdicts}
OTHER = "is this file about another recording? For several, give a folder of files named by their captures' SHA-256"


def made(path: Path, form: str, telemetry: Telemetry, who: Signature, given: str | None) -> Iterator[Finding]:
    """The findings of a file of that form; Failed with line, found and expected."""
    try:
        if form == NATIVE:
            yield from _native(path, telemetry)
            return
        hits = _alerts(path, given) if form == EVE else _pairs(path, form, telemetry, given)
    except (JunkError, LookupError) as fault:
        raise Failed(f"{path}: {fault}") from None
    if hits and (rows_of(telemetry["flows"], hits) < 0).all():
        first = hits[0]
        ends = f"{first.client} {first.client_port} to {first.server} {first.server_port}, {first.proto}"
        raise Failed(
            f"{path}: found no flow for any of {len(hits):,} alerts, the first {ends} at {rfc3339(first.time)}, "
            f"expected flows of this recording; {OTHER}"
        )
    yield from alerted(telemetry, hits, who)


def _native(path: Path, telemetry: Telemetry) -> Iterator[Finding]:
    """Findings in our own form, each held against who there is; one of partial evidence cannot be scored."""
    devices, apps = _known(telemetry)
    begin, end = telemetry.span[0] - EARLY_US, telemetry.span[1] + LATE_US
    for number, finding in enumerate(_taken(path), 1):
        place = f"{path}: finding {number}"
        if finding.partial:
            raise Failed(f"{place}: drawn from partial evidence, expected a whole recording; detect again")
        if devices and finding.device not in devices:
            raise Failed(f"{place}: found device {finding.device!r}, expected one of this recording's; {OTHER}")
        if apps and finding.package is not None and finding.package not in apps:
            raise Failed(f"{place}: found package {finding.package!r}, expected one of this recording's; {OTHER}")
        if finding.last_seen < begin or finding.first_seen > end:
            spans = f"{rfc3339(telemetry.span[0])} to {rfc3339(telemetry.span[1])}"
            raise Failed(f"{place}: found {rfc3339(finding.first_seen)}, expected {spans}; {OTHER}")
        yield finding


def _taken(path: Path) -> Iterator[Finding]:
    try:
        yield from taken(lines_of(path))
    except Failed as fault:
        raise Failed(f"{path}: {str(fault).removeprefix(f'{path}: ')}") from None


def _known(telemetry: Telemetry) -> tuple[set[str], set[str]]:
    """Devices, by name and address, and packages that the telemetry shows; empty where it shows none."""
    devices, apps = set[str](), set[str]()
    for name, columns in (("flows", ("device", "client", "server")), ("packages", ("device",)), ("dns", ("client",))):
        if name in telemetry:
            for column in columns:
                devices |= set(telemetry[name][column].unique().to_pylist())
    for name in ("flows", "packages"):
        if name in telemetry:
            apps |= set(telemetry[name]["package"].unique().to_pylist())
    return devices - {None}, apps - {None}


def _alerts(path: Path, given: str | None) -> list[Hit]:
    """The alerts of EVE, one for each flow and rule, each with its rule's analytic."""
    found = []
    rows = ((number, row) for number, row in events(lines_of(path)) if row["event_type"] == "alert")
    for alert in joined(limited(alert_of(number, row) for number, row in rows)):
        said = next(iter(alert.metadata.get(KEY, ())), None)
        line = f"metadata:{KEY} AN1793;"
        tags = alert.metadata.get(TECHNIQUE, ())
        analytic = analytic_of(tags, said=said, given=given, rule=f'sid {alert.sid} "{alert.message}"', line=line)
        found.append(alert.hit(analytic, score=1.0, text=f'rule {alert.rule} "{alert.message}"'))
    return found


def _pairs(path: Path, form: str, telemetry: Telemetry, given: str | None) -> list[Hit]:
    analytic = given or ("AN1793" if form == RITA else None)
    if analytic is None:
        raise LookupError("found alerts that do not say what they are about, expected ?analytic=AN1793 behind the file")
    pairs = Pairs(telemetry)
    return [
        replace(pairs.hit(verdict, analytic), rule=f"{form}: {verdict.rule}")
        for verdict in VERDICTS[form](lines_of(path))
    ]
