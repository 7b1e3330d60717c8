"""Debian trixie as an image: the one that is there, else a registry's, else made here by mmdebstrap.

The mirror is read from this machine's own apt sources when it is needed. Like the official image's, it stays in the
image's sources.list, because the images above install packages: an image made here is not for publishing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from lab.errors import PrerequisiteError
from lab.stages.live.engine.engine import FAULTS, Engine, told

SUITE, REPOSITORY, TAG = "trixie", "debian", "trixie-slim"
BASE_IMAGE = f"{REPOSITORY}:{TAG}"
MEND = "apt-get install mmdebstrap, or give the engine a registry: docker pull " + BASE_IMAGE
_SOURCES = Path("/etc/apt")
_TIMEOUT_S = 900
_CHANGES = ["ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 'CMD ["bash"]']


def ensure_debian(engine: Engine, progress: Callable[[str], None]) -> str:
    """Makes sure that BASE_IMAGE is on the engine; returns its name. PrerequisiteError if there is no way to get it."""
    if engine.has_image(BASE_IMAGE):
        return BASE_IMAGE
    progress(f"{BASE_IMAGE}: pulling")
    try:
        engine.client.images.pull(REPOSITORY, TAG)
    except FAULTS as fault:
        if not shutil.which("mmdebstrap"):
            raise PrerequisiteError(
                f"{BASE_IMAGE} is not on the engine and no registry gives it ({told(fault)}): {MEND}"
            ) from fault
        _make(engine, progress)
    return BASE_IMAGE


def source_of_debian(engine: Engine) -> str:
    """Where BASE_IMAGE would come from, in words; empty if there is no way to get it. Changes nothing."""
    if engine.has_image(BASE_IMAGE):
        return f"{BASE_IMAGE} is here"
    if shutil.which("mmdebstrap"):
        return "mmdebstrap makes it"
    try:
        engine.client.images.get_registry_data(BASE_IMAGE)
    except FAULTS:
        return ""
    return "a registry has it"


def _make(engine: Engine, progress: Callable[[str], None]) -> None:
    failures = []
    for mirror in mirrors(_apt_sources()):
        progress(f"{BASE_IMAGE}: no registry; made from this machine's Debian mirror, about a minute")
        with tempfile.TemporaryDirectory(prefix="droidrange-") as folder:
            tar = Path(folder) / "base.tar"
            failure = _bootstrap(mirror, tar)
            if not failure:
                _imported(engine, tar)
                return
            failures.append(failure)
    why = "; ".join(failures) or "this machine's apt sources name no Debian mirror without a password"
    raise PrerequisiteError(f"{BASE_IMAGE} can neither be pulled nor made: {why}. {MEND}")


def _bootstrap(mirror: str, tar: Path) -> str:
    """Runs mmdebstrap; what it said last if it failed, else nothing."""
    words = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")),
        "--include=ca-certificates",
        SUITE,
        str(tar),
        mirror,
    ]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603 - no shell
    except (OSError, subprocess.TimeoutExpired) as fault:
        return f"mmdebstrap: {fault}"
    return f"mmdebstrap: {' '.join(done.stderr.split())[-600:]}" if done.returncode else ""


def _imported(engine: Engine, tar: Path) -> None:
    try:
        with tar.open("rb") as file:
            engine.client.api.import_image_from_data(file.read(), repository=REPOSITORY, tag=TAG, changes=_CHANGES)
        engine.client.images.get(BASE_IMAGE)
    except FAULTS as fault:
        raise PrerequisiteError(f"{BASE_IMAGE}: the engine does not take the image: {told(fault)}") from fault


def _apt_sources() -> list[str]:
    files = [
        *_SOURCES.glob("sources.list"),
        *_SOURCES.glob("sources.list.d/*.list"),
        *_SOURCES.glob("sources.list.d/*.sources"),
    ]
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(files)]


def mirrors(sources: list[str]) -> list[str]:
    """The Debian mirrors that apt sources name (one-line or deb822 style, sources.list(5)), first named first.

    Only the main archive, and never one whose address holds a password: it would stay in the image.
    """
    found = [uri for text in sources for uri in (*_one_line(text), *_deb822(text))]
    return list(dict.fromkeys(uri for uri in found if _usable(uri)))


def _one_line(text: str) -> list[str]:
    rows = re.findall(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$", text, re.MULTILINE)
    return [uri for uri, suite, parts in rows if "security" not in suite and "main" in parts.split()]


def _deb822(text: str) -> list[str]:
    found: list[str] = []
    for stanza in re.split(r"\n\s*\n", text):
        rows = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = {key.lower(): value.split() for key, colon, value in (row.partition(":") for row in rows) if colon}
        main = "main" in fields.get("components", []) and "deb" in fields.get("types", [])
        if main and fields.get("enabled") != ["no"] and "security" not in " ".join(fields.get("suites", [])):
            found += fields.get("uris", [])
    return found


def _usable(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme in {"http", "https"} and "debian" in uri and "@" not in parts.netloc and "security" not in uri
