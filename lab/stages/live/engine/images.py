"""The images of a live lab: found in lab/stages/live/*/image, built if missing, named by what they are built from."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound

from lab.errors import StageError
from lab.stages.live.engine.context import Context, read_context
from lab.stages.live.engine.debian import BASE_IMAGE, ensure_debian
from lab.stages.live.engine.engine import FAULTS, Engine, told
from lab.stages.live.engine.session import LABEL, state_folder
from lab.stages.live.engine.wheels import cache_folder, wheelhouse

_LIVE = Path(__file__).parents[1]
_SILENCE_S = 600  # how long a step may say nothing
_BASE = "engine"  # the folder whose image the others stand on
_ARGUMENT = re.compile(r"^ARG\s+(\w+)", re.MULTILINE)
_STEP = re.compile(r"^Step \d+/\d+ : ")


@dataclass(frozen=True)
class Image:
    """An image as its folder has it: role, context, and the build arguments its Dockerfile declares."""

    role: str
    context: Context
    arguments: dict[str, str]

    @property
    def tag(self) -> str:
        """``droidrange/<role>:<digest of the context>``."""
        return f"{LABEL}/{self.role}:{self.context.digest(self.arguments)}"


def images(folder: Path = _LIVE) -> list[Image]:
    """Every image, the base first: a folder with image/Dockerfile is one, ``engine``'s is called ``base``."""
    base = _image("base", folder / _BASE / "image", {"BASE_IMAGE": BASE_IMAGE})
    given = {"BASE_IMAGE": BASE_IMAGE, "BASE": base.tag}
    others = sorted(path.parent for path in folder.glob("*/image/Dockerfile") if path.parts[-3] != _BASE)
    return [base, *(_image(path.parent.name, path, given) for path in others)]


def _image(role: str, folder: Path, given: dict[str, str]) -> Image:
    declared = set(_ARGUMENT.findall((folder / "Dockerfile").read_text(encoding="utf-8")))
    return Image(role, read_context(folder), {key: value for key, value in given.items() if key in declared})


def image_tag(role: str) -> str:
    """The tag of a role's image as its sources are now, for ``Engine.run``. LookupError names the roles there are."""
    found = {image.role: image.tag for image in images()}
    if role not in found:
        raise LookupError(f"no image {role!r}; there are {', '.join(found)}")
    return found[role]


def images_missing(engine: Engine) -> list[str]:
    """The roles whose image, as its sources are now, is not on the engine."""
    return [image.role for image in images() if not engine.has_image(image.tag)]


def ensure_images(engine: Engine, progress: Callable[[str], None], roles: Collection[str] | None = None) -> None:
    """Builds what is missing, of ``roles`` and the base (of all if None); ``progress`` is told a line per step.

    Two processes that want the same image build it once. PrerequisiteError: this machine lacks something; StageError:
    a build failed, with the step and what it said.
    """
    wanted = [image for image in images() if roles is None or image.role in {"base", *roles}]
    if all(engine.has_image(image.tag) for image in wanted):
        return
    with _alone(progress):
        for image in wanted:
            if not engine.has_image(image.tag):
                ensure_debian(engine, progress)
                _build(engine, image, progress)


def remove_old_images(engine: Engine) -> list[str]:
    """Removes images of ours that other sources than now's made and no container uses; returns their tags.

    Stages of builds, which have no tag, go too: they made building again faster.
    """
    current = {image.tag for image in images()} | {f"{LABEL}/{image.role}:latest" for image in images()}
    try:
        found = engine.client.api.images(filters={"label": f"{LABEL}=image"})
        tags = sorted(tag for image in found for tag in image["RepoTags"] or () if tag not in current)
        gone = [tag for tag in tags if tag.startswith(f"{LABEL}/") and _removed(engine, tag)]
        engine.client.api.prune_images(filters={"dangling": True, "label": f"{LABEL}=image"})
    except FAULTS as fault:
        raise StageError(f"the engine does not remove its old images: {told(fault)}") from fault
    return gone


def _removed(engine: Engine, tag: str) -> bool:
    try:
        engine.client.api.remove_image(tag)
    except ImageNotFound:
        return False
    except APIError as fault:
        if fault.status_code == 409:  # a container uses it
            return False
        raise
    return True


def _build(engine: Engine, image: Image, progress: Callable[[str], None]) -> None:
    if image.context.wheels:
        progress(f"{image.role}: wheels for {', '.join(image.context.wheels)}")
    context = image.context.packed(wheelhouse(image.context.wheels))
    progress(f"{image.role}: building {image.tag}")
    lines: list[str] = []
    try:
        said = engine.client.api.build(
            fileobj=context,
            custom_context=True,
            tag=image.tag,
            buildargs=image.arguments,
            labels={LABEL: "image", f"{LABEL}.role": image.role},
            rm=True,
            forcerm=True,
            decode=True,
            timeout=_SILENCE_S,
        )
        error = _followed(said, lines, lambda line: progress(f"{image.role}: {line}"))
        if not error:
            engine.client.images.get(image.tag).tag(f"{LABEL}/{image.role}", tag="latest")
    except FAULTS as fault:
        error = told(fault)
    log = _kept(image.role, lines)
    if error:
        raise StageError(_failure(image.role, lines, error, log))


def _followed(said: Iterator[dict[str, Any]], lines: list[str], progress: Callable[[str], None]) -> str:
    """Reads a build to its end, collecting its lines; the engine's error, empty if there was none."""
    error = ""
    for part in said:
        for line in str(part.get("stream", "")).splitlines():
            if line.strip():
                lines.append(line.rstrip())
            if _STEP.match(line):
                progress(line.strip())
        error = str(part["error"]) if "error" in part else error
    return error.strip()


def _failure(role: str, lines: list[str], error: str, log: Path | None) -> str:
    """What went wrong: the step, the last it said, and where all of it is."""
    steps = [number for number, line in enumerate(lines) if _STEP.match(line)]
    step = lines[steps[-1]] if steps else "before the first step"
    said = lines[steps[-1] + 1 :][-15:] if steps else lines[-15:]
    kept = [f"all of it: {log}"] if log else []
    return "\n".join([f"image {role}: the build failed at {step!r}: {error}", *said, *kept])


def _kept(role: str, lines: list[str]) -> Path | None:
    """Keeps the output of the last build of a role; that it cannot be kept is no reason to fail."""
    path = state_folder() / "builds" / f"{role}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError:
        return None
    return path


@contextmanager
def _alone(progress: Callable[[str], None]) -> Iterator[None]:
    """One builder at a time among this user's processes; a dead one's lock is free."""
    path = cache_folder() / "images.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another droidrange is building images: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
