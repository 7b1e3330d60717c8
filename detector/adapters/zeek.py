"""A Zeek script, run by the real Zeek on the recording's packets: ``zeek:SCRIPT``, a file or a folder.

Every notice of a type that the script defines is an alert of score 1, for the analytic of the ATT&CK technique that its
text or the script names, or of ``?analytic=AN1793`` behind SCRIPT. What raises it wrongly is its author's to say. It
needs Zeek on this machine, and a view that shows packets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.contract import ANALYTICS, Detector, Finding, Telemetry, Unsupported
from detector.foreign.zeek_notice import Zeek, installed, noticed
from detector.foreign.zeek_script import Script, read_script
from detector.named_alerts import alerted
from detector.rule_analytic import split_argument
from detector.signature import Signature

ARGUMENT = "SCRIPT"


@dataclass
class ZeekScript:
    """One script, and the Zeek that runs it."""

    name: str
    version: str
    script: Script
    zeek: Zeek
    needs: tuple[str, ...] = ("flows",)

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """The analytic that the script speaks for, or both; Unsupported where there are no packets."""
        if telemetry.capture is None:
            raise Unsupported(f"Zeek reads packets, and view {telemetry.view} shows none here")
        return ANALYTICS if self.script.analytic is None else (self.script.analytic,)

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """A finding per notice type, device, app and peer; Unsupported without packets, Failed where Zeek fails."""
        self.judges(telemetry)
        who = Signature(self.name, self.version, partial=telemetry.partial is not None)
        yield from alerted(telemetry, noticed(self.script, self.zeek, telemetry), who)


def create(argument: str) -> Detector:
    """The script at a path; LookupError where it can be no detector, Unsupported where there is no Zeek."""
    if not argument:
        raise LookupError("detector zeek: found no argument, expected zeek:SCRIPT")
    try:
        path, given = split_argument(argument)
        script = read_script(Path(path), given)
    except LookupError as fault:
        raise LookupError(f"detector zeek: {fault}") from None
    zeek = installed()
    return ZeekScript(f"zeek:{argument}", f"{zeek.version}+{script.digest}", script, zeek)
