"""An attack_data set: the dataset's YAML beside the packets and logs it describes, as contentctl takes it.

Keys as in splunk/attack_data's dataset files, from memory: author, id, date, description, environment, dataset,
sourcetypes, references, mitre_technique. The logs are Zeek's, without labels; truth.yml beside it has them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from lab.handing_on.source import Part, Source
from lab.handing_on.suricata_verify import copied
from lab.handing_on.yaml_text import yaml_text
from lab.handing_on.zeek_labeled import parts as zeek_parts
from lab.recording import recording_hash

#: A name space of our own: the same recording is the same data set.
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/splunk/attack_data#droidrange")


def parts(source: Source) -> Iterator[Part]:
    """NAME.yml, truth.yml, the logs and, where there is one, the capture."""
    logs = [part for part in zeek_parts(source) if part.name.startswith("zeek/")]
    for part in logs:
        yield Part(part.name.removeprefix("zeek/"), part.content)
    names = {part.name.removeprefix("zeek/"): f"bro:{part.name[5:].partition('.')[0]}:tsv" for part in logs}
    if source.capture:
        names["capture.pcap"] = "pcap"
        yield Part("capture.pcap", copied(source.capture))
    recording, incidents = source.recording, source.truth.incidents
    day = datetime.fromtimestamp(recording.start // 1_000_000, UTC).date().isoformat()
    techniques = sorted({one.technique for one in incidents})
    whole = {
        "author": "droidrange",
        "id": str(uuid.uuid5(SPACE, recording_hash(recording.folder))),
        "date": day,
        "description": f"Scenario {recording.scenario}, seed {recording.seed}, stage {recording.stage}: "
        f"{len(source.truth.devices)} Android devices for {recording.span_s:.0f} s. Emulated and inert.",
        "environment": f"droidrange {recording.version}",
        "dataset": list(names),
        "sourcetypes": list(dict.fromkeys(names.values())),
        "references": [f"https://attack.mitre.org/techniques/{one.replace('.', '/')}" for one in techniques],
        "mitre_technique": techniques,
    }
    yield Part(f"{recording.scenario}.yml", yaml_text(whole))
    yield Part("truth.yml", yaml_text({"incidents": [_told(one) for one in incidents]}))


def _told(incident: object) -> dict[str, object]:
    known = vars(incident)
    told = {name: known[name] for name in ("incident", "analytic", "technique", "behaviour", "device", "package")}
    times = {name: _moment(known[name]) for name in ("start", "end")}
    return {**told, **times, "peers": list(known["peers"]), "contacts": known["contacts"]}


def _moment(time_us: int) -> str:
    from detector.contract import rfc3339

    return rfc3339(time_us)
