"""The engine as a lab uses it: containers and networks of one session, journaled, labelled, hardened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network
from typing import Any

from lab.errors import PrerequisiteError, StageError
from lab.stages.live.engine.policy import container_settings
from lab.stages.live.engine.session import LABEL, Session
from lab.stages.live.engine.underlay import MTU, free_subnets, machine_routes

try:
    import docker
    from docker.errors import APIError, DockerException, ImageNotFound
    from docker.types import IPAMConfig, IPAMPool
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError
except ImportError as fault:  # said here, where every command of the live lab comes by
    raise PrerequisiteError("the live stage needs the extra 'live': pip install 'droidrange[live]'") from fault

FAULTS = (DockerException, RequestException, HTTPError)  # whatever a call to the engine can end with
_TRIES = 64  # labs that come up at the same moment


@dataclass(frozen=True)
class Engine:
    """A reached Docker engine. ``client`` is the SDK's; calls may come from several threads."""

    client: Any  # docker.DockerClient, which has no types
    version: str

    def run(self, session: Session, role: str, image: str, name: str, **wanted: Any) -> Any:
        """Creates and starts a container; returns the SDK's ``Container``.

        ``wanted`` are arguments of ``containers.create`` as policy.py has them, ``caps``, and ``address``: its fixed
        address on ``network`` (a network's name). Raises ValueError for what the policy refuses,
        PrerequisiteError if the image is absent, StageError if the engine could not do it.
        """
        address = wanted.pop("address", None)
        settings = container_settings(session, role, image, name, **wanted)
        if address is not None:
            endpoint = self.client.api.create_endpoint_config(ipv4_address=str(address))
            settings["networking_config"] = {settings["network"]: endpoint}
        container = self._create(
            session, "container", settings["name"], partial(self.client.containers.create, **settings)
        )
        try:
            container.start()
        except FAULTS as fault:
            raise StageError(f"container {container.name} ({image}) did not start: {told(fault)}") from fault
        return container

    def sidecar(
        self, session: Session, role: str, image: str, name: str, *, beside: Any, command: Sequence[str], **wanted: Any
    ) -> Any:
        """A container in the network namespace of another (``beside``), with NET_ADMIN there, or ``caps``."""
        wanted = {"caps": ("NET_ADMIN",), **wanted, "network_mode": f"container:{beside.id}"}
        return self.run(session, role, image, name, command=list(command), **wanted)

    def once(
        self,
        session: Session,
        role: str,
        image: str,
        name: str,
        *,
        beside: Any,
        command: Sequence[str],
        timeout_s: float = 30.0,
        **wanted: Any,
    ) -> str:
        """A sidecar that ends: its output, once it ended with 0 and was removed. StageError has code and output."""
        container = self.sidecar(session, role, image, name, beside=beside, command=command, **wanted)
        try:
            code = container.wait(timeout=timeout_s)["StatusCode"]
            output = container.logs().decode(errors="replace")
        except FAULTS as fault:
            raise StageError(f"sidecar {container.name} did not end within {timeout_s:g} s: {told(fault)}") from fault
        finally:
            self.remove(container)
        if code:
            raise StageError(f"sidecar {container.name} ended with {code}: {output.strip()[-2000:]}")
        return str(output)

    def network(self, session: Session, name: str = "underlay") -> Any:
        """An internal bridge on a free /24 of 10.77.0.0/16, the host being .1: the SDK's ``Network``.

        PrerequisiteError if none is free, StageError if the engine could not make it.
        """
        full = session.full_name(name)
        free = free_subnets([*machine_routes(), *self.subnets()])
        last: Exception | None = None
        for subnet in free[:_TRIES]:  # another lab may take one between look and leap
            try:
                return self._create(session, "network", full, partial(self._network, session, full, subnet))
            except StageError as fault:
                if "overlap" not in str(fault):
                    raise
                last = fault
        raise PrerequisiteError(
            "no free network in 10.77.0.0/16: droidrange lab clean removes left-over labs"
        ) from last

    def _network(self, session: Session, full: str, subnet: IPv4Network) -> Any:
        pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
        return self.client.networks.create(
            full,
            driver="bridge",
            internal=True,
            attachable=False,
            check_duplicate=True,
            enable_ipv6=False,
            options={"com.docker.network.driver.mtu": str(MTU)},
            ipam=IPAMConfig(pool_configs=[pool]),
            labels=session.labels("network"),
        )

    def subnets(self) -> list[IPv4Network]:
        """The IPv4 subnets of every network of this engine."""
        pools = [pool for net in self._listed("networks") for pool in (net["IPAM"]["Config"] or ())]
        return [IPv4Network(pool["Subnet"]) for pool in pools if ":" not in pool.get("Subnet", ":")]

    def containers(self, session: Session | None) -> list[Any]:
        """The containers of a session (of all labs if None), running or not, by name."""
        label = f"{LABEL}.lab" if session is None else f"{LABEL}.lab={session.id}"
        try:
            found = self.client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        except FAULTS as fault:
            raise StageError(f"the engine does not list its containers: {told(fault)}") from fault
        return sorted(found, key=lambda container: str(container.name))

    def remove(self, container: Any) -> None:
        """Kills and removes a container and its anonymous volumes; that it is gone already is no fault."""
        try:
            container.remove(force=True, v=True)
        except FAULTS as fault:
            if not gone(fault):  # a sweep removes what this leaves
                raise StageError(f"container {container.name} cannot be removed: {told(fault)}") from fault

    def has_image(self, tag: str) -> bool:
        """Whether an image is on the engine. PrerequisiteError if it does not answer."""
        try:
            self.client.images.get(tag)
        except ImageNotFound:
            return False
        except FAULTS as fault:
            raise PrerequisiteError(f"the Docker engine fails: {told(fault)}; systemctl restart docker") from fault
        return True

    def close(self) -> None:
        """Lets go of the connections to the engine."""
        self.client.close()

    def _listed(self, what: str) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = getattr(self.client.api, what)()
        except FAULTS as fault:
            raise StageError(f"the engine does not list its {what}: {told(fault)}") from fault
        return found

    def _create(self, session: Session, kind: str, name: str, make: Callable[[], Any]) -> Any:
        """Journals, makes, journals. If the answer is lost the intent stays open, and a sweep waits for the object."""
        session.intend(kind, name)
        try:
            made = make()
        except ImageNotFound as fault:
            session.settle(kind, name)
            raise PrerequisiteError(f"{told(fault)}: droidrange lab up builds what is missing") from fault
        except FAULTS as fault:
            if isinstance(fault, APIError) and fault.is_client_error():
                session.settle(kind, name)
            raise StageError(f"{kind} {name} could not be created: {told(fault)}") from fault
        session.settle(kind, name)
        return made


def told(fault: BaseException) -> str:
    """What the engine said, in one line."""
    said = getattr(fault, "explanation", None) or str(fault) or type(fault).__name__
    return " ".join(str(said).split())


def gone(fault: BaseException) -> bool:
    """Whether a removal failed only because there is nothing any more, or somebody is removing it already."""
    if not isinstance(fault, APIError):
        return False
    return fault.status_code == 404 or (fault.status_code == 409 and "in progress" in told(fault))


def client(base_url: str, timeout_s: int) -> Any:
    """The SDK's client, having agreed upon a version with the engine."""
    return docker.DockerClient(base_url=base_url, version="auto", timeout=timeout_s)
