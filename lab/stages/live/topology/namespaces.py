"""The network namespaces of a lab's containers: set up by a sidecar, and changed in place through it.

The container itself gets no right for it: NET_ADMIN is the sidecar's, in that one namespace.
"""

from __future__ import annotations

import json
from typing import Any

from lab.errors import StageError
from lab.stages.live.engine.engine import FAULTS, Engine, told
from lab.stages.live.engine.images import image_tag
from lab.stages.live.engine.session import Session
from lab.stages.live.topology.image.links import readdress_commands
from lab.stages.live.topology.image.spec import Spec

PACKAGE = "lab.stages.live.topology.image"
PYTHON = ("python3", "-S", "-m")
IMAGE_ROLE = "topology"
SENSOR_MEMORY = "32m"


def set_up(engine: Engine, session: Session, container: Any, name: str, spec: Spec) -> dict[str, Any]:
    """Sets up a running container's network by a sidecar that ends (0.4 s); again with another spec it is changed.

    Not for handsets: their sensor does it. The answer has ``took_ms`` and ``offloads_on``; StageError if it failed.
    """
    words = [*PYTHON, f"{PACKAGE}.netns", spec.to_json()]
    image = image_tag(IMAGE_ROLE)
    said = engine.once(session, "setup", image, f"setup-{name}", beside=container, command=words)
    return _answer(said, name)


def start_sensor(engine: Engine, session: Session, handset: Any, name: str, spec: Spec) -> Any:
    """The sidecar that sets up a handset's network and then reports its sockets on stdout: the SDK's container.

    Its stream begins with the event ``ready``; see ``sensor_stream``.
    """
    words = [*PYTHON, f"{PACKAGE}.sensor", spec.to_json()]
    settings = {"mem_limit": SENSOR_MEMORY, "pids_limit": 32}
    image = image_tag(IMAGE_ROLE)
    return engine.sidecar(session, "sensor", image, f"sensor-{name}", beside=handset, command=words, **settings)


def readdress(sensor: Any, old: Spec, new: Spec) -> None:
    """Gives a handset another address and MAC in place, by its sensor (60 ms). StageError if it failed.

    If another handset of the lab had the address, the gateway must be set up anew, or it asks there for a minute.
    """
    batch = "\n".join(readdress_commands(old, new))
    try:
        code, said = sensor.exec_run(["sh", "-c", 'printf "%s\\n" "$1" | ip -batch -', "ip", batch])
    except FAULTS as fault:
        raise StageError(f"{sensor.name}: cannot be told its new address: {told(fault)}") from fault
    if code != 0:
        raise StageError(f"{sensor.name}: {said.decode(errors='replace').strip()}")


def _answer(said: str, name: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    except (ValueError, IndexError) as fault:
        raise StageError(f"{name}: its network's set-up said {said!r}") from fault
    return answer
