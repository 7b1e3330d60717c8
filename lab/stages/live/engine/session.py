"""A session: one lab's id, folder, owner and end, and the journal of what it is about to create.

Knows files and processes, never Docker. A name is journaled before its object is created and once more when the engine
has said that it exists; so a sweep knows what may still be on its way.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.errors import PrerequisiteError
from lab.store import MAKING, folder_in_the_making, write_atomic
from lab.store import sweep as sweep_makings

LABEL = "droidrange"
HOURS = 12.0
ID = re.compile(r"[0-9a-f]{8}")
_CARD, _JOURNAL = "session.json", "journal.jsonl"


@dataclass(frozen=True)
class Owner:
    """A process, told from a later one of the same number by its start (clock ticks since boot) and by the boot."""

    pid: int
    started: int
    boot: str

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.boot == boot_id() and self.started == start_of(self.pid)


@dataclass(frozen=True)
class Session:
    """One lab. ``expires`` is in seconds since the epoch; ``kept`` outlives its owner until then (``lab up``)."""

    id: str
    folder: Path
    owner: Owner
    expires: int
    kept: bool

    def labels(self, role: str, **more: str) -> dict[str, str]:
        """The labels of an object of this lab: who may remove it, and when."""
        own = {
            f"{LABEL}.lab": self.id,
            f"{LABEL}.role": role,
            f"{LABEL}.pid": str(self.owner.pid),
            f"{LABEL}.started": str(self.owner.started),
            f"{LABEL}.boot": self.owner.boot,
            f"{LABEL}.expires": str(self.expires),
            f"{LABEL}.kept": "yes" if self.kept else "no",
        }
        return own | {f"{LABEL}.{key}": value for key, value in more.items()}

    def full_name(self, name: str) -> str:
        """The name of an object on the engine."""
        return f"{LABEL}-{self.id}-{name}"

    @contextmanager
    def coming_up(self) -> Iterator[None]:
        """While the lab comes up: if its owner dies in here it is half a lab, which a sweep removes although kept."""
        self.intend("lab", self.id)
        yield
        self.settle("lab", self.id)

    def intend(self, kind: str, name: str) -> None:
        """Writes down, synced, that ``name`` (of the engine) is about to be created."""
        self._journal({"intent": kind, "name": name})

    def settle(self, kind: str, name: str) -> None:
        """Writes down that the engine has answered: ``name`` is there, or was refused."""
        self._journal({"settled": kind, "name": name})

    def _journal(self, line: dict[str, str]) -> None:
        with (self.folder / _JOURNAL).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())


def open_session(*, kept: bool = False, hours: float = HOURS) -> Session:
    """A new lab of this process, its folder (mode 0700) made and its card written."""
    own = Owner(os.getpid(), start_of(os.getpid()) or 0, boot_id())
    name = secrets.token_hex(4)
    session = Session(name, labs_folder() / name, own, int(time.time() + hours * 3600), kept)
    try:
        session.folder.parent.mkdir(parents=True, exist_ok=True)
        session.folder.parent.chmod(0o700)
        with folder_in_the_making(session.folder) as making:  # so that no sweep meets a folder without a card
            making.chmod(0o700)
            write_atomic(making / _CARD, json.dumps(_card(session), sort_keys=True).encode())
    except OSError as fault:
        raise PrerequisiteError(
            f"{session.folder}: the lab's folder cannot be made ({fault.strerror}); mend it, or "
            f"set XDG_STATE_HOME to a folder that can be written"
        ) from fault
    return session


def read_session(folder: Path) -> Session | None:
    """The session whose folder this is; None where the card is absent or damaged (its maker died in the act)."""
    try:
        card = json.loads((folder / _CARD).read_bytes())
        return Session(
            id=folder.name,
            folder=folder,
            owner=Owner(int(card["owner"]["pid"]), int(card["owner"]["started"]), str(card["owner"]["boot"])),
            expires=int(card["expires"]),
            kept=bool(card["kept"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def session_folders() -> list[Path]:
    """The folders of all sessions on disk, by name, what died in the making removed."""
    parent = labs_folder()
    for name in {path.name.split(".")[1] for path in parent.glob(f".*{MAKING}")}:
        sweep_makings(parent / name)
    return sorted(path for path in parent.glob("*") if ID.fullmatch(path.name) and path.is_dir())


def sessions() -> list[Session]:
    """The sessions on disk, by id: whoever goes on with a lab that another process brought up takes it from here."""
    return [found for found in map(read_session, session_folders()) if found]


def unsettled(folder: Path) -> dict[str, str]:
    """Name -> kind of what was about to be created and about which the engine's answer was never seen."""
    waiting: dict[str, str] = {}
    for line in _lines(folder / _JOURNAL):
        if "intent" in line:
            waiting[line["name"]] = line["intent"]
        else:
            waiting.pop(line["name"], None)
    return waiting


def _lines(journal: Path) -> Iterator[dict[str, str]]:
    """The whole lines of a journal: the last may be cut, its writer was killed before anything was created."""
    try:
        text = journal.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for row in text.splitlines():
        try:
            line = json.loads(row)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("name"), str):
            yield line


def labs_folder() -> Path:
    """Where the folders of labs lie: $XDG_STATE_HOME/droidrange/labs."""
    return state_folder() / "labs"


def state_folder() -> Path:
    """This user's state: $XDG_STATE_HOME/droidrange, ~/.local/state/droidrange by default."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "droidrange"


def boot_id() -> str:
    """This boot of the machine (Linux, proc(5))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def start_of(pid: int) -> int | None:
    """When a process began, in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _card(session: Session) -> dict[str, object]:
    return {"owner": asdict(session.owner), "expires": session.expires, "kept": session.kept}
