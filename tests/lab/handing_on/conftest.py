"""A recording to hand on, and what the bundled detector finds in it."""

from __future__ import annotations

import pytest

from detector.contract import detector, write_findings
from lab.handing_on.source import source


@pytest.fixture(scope="session")
def handed(smoke_recording):
    return source(smoke_recording)


@pytest.fixture(scope="session")
def found(handed, tmp_path_factory):
    """findings.jsonl of the recording."""
    path = tmp_path_factory.mktemp("found") / "findings.jsonl"
    path.write_text("".join(line + "\n" for line in write_findings(detector("builtin").detect(handed.telemetry))))
    return path


@pytest.fixture(scope="session")
def judged(smoke_recording, found):
    """The recording with its findings."""
    return source(smoke_recording, found)
