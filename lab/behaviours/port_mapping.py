"""An app that has the home router map a port to the phone: SSDP to find the router, SOAP over HTTP to ask it.

Law (UPnP Device Architecture 1.1; WANIPConnection:2, sections 2.5.16 and 2.5.18; message sizes from memory of
miniupnpc): two M-SEARCH for the gateway device, the router's answer, GET of its description and of its service's, then
GetExternalIPAddress and AddPortMapping; AddPortMapping again before the lease is over; DeletePortMapping at the end.
Found anew whenever the phone joins Wi-Fi again, which has another router or none of the mappings any more. IPv6 needs
no mapping; a router's firewall is asked by AddPinhole of WANIPv6FirewallControl:1 in the same way. What strangers then
send to the port is another behaviour's: all see the phone's own address, for the sensor sits between phone and router.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft

GATEWAY = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
PATHS = {"control": "/ctl/IPConn", "pinhole": "/ctl/IP6FCtl", "description": "/rootDesc.xml", "service": "/WANIPCn.xml"}
SOAP = 'text/xml; charset="utf-8"'
EARLY = 60 * SECOND  # before a lease ends, or its half if that is shorter (our choice)
SHORTEST = 5 * SECOND  # of a stay on a network, for a mapping


@dataclass(frozen=True)
class Behaviour:
    """Settings of port-mapping."""

    port: int = setting(
        5_000, minimum=1_024, maximum=65_535, source="the router's; miniupnpd draws one, 5000 is common"
    )
    lease: float = setting(
        3_600.0, unit="s", minimum=120, maximum=604_800, source="WANIPConnection:2 section 2.5.16: 3600 s advised"
    )
    pinhole: bool = setting(False, source="IPv6 too: AddPinhole beside AddPortMapping")
    description: int = setting(3_800, unit="B", minimum=600, maximum=40_000, source="rootDesc.xml of a router")
    service: int = setting(6_200, unit="B", minimum=600, maximum=40_000, source="the service's description")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Two questions to the group, an answer, and a conversation for each request, for each stay on Wi-Fi."""
        draft = Draft(window.span)
        whole = np.array([[0, window.span]], dtype=np.int64)
        stays = window.wifi if len(window.wifi) else whole
        stays = stays[stays[:, 1] - stays[:, 0] > SHORTEST]
        begun = stays[:, 0] + (rng.uniform(1.0, 3.0, len(stays)) * SECOND).astype(np.int64)
        gateway = draft.peer("lan")
        found = self._found(rng, draft, gateway, begun)
        self._read(rng, draft, gateway, found)
        self._mapped(rng, draft, gateway, np.stack([found + SECOND, stays[:, 1]], axis=1))
        return draft.batch()

    def _found(self, rng: np.random.Generator, draft: Draft, gateway: int, begun: Int64) -> Int64:
        """When the router was found: it answers the second question within MX, which is 3 s at most."""
        asked = draft.speech("ssdp", port=1_900, st=GATEWAY)
        times = (begun[:, None] + np.array([0, SECOND])).ravel()
        draft.calls(asked, draft.peer("group"), times, up=140, down=0, delay=0)
        answered = begun + SECOND + (rng.uniform(0.05, 2.0, len(begun)) * SECOND).astype(np.int64)
        draft.calls(asked, gateway, answered, up=0, down=320, delay=0)
        return answered

    def _read(self, rng: np.random.Generator, draft: Draft, gateway: int, found: Int64) -> None:
        """The descriptions, one after the other."""
        for nth, (name, size) in enumerate((("description", self.description), ("service", self.service))):
            speech = draft.speech("http", port=self.port, method="GET", path=PATHS[name], content_type="text/xml")
            times = found + (nth + 1) * SECOND // 5
            draft.calls(speech, gateway, times, up=160, down=size, delay=thinking(rng, len(times), 15.0))

    def _mapped(self, rng: np.random.Generator, draft: Draft, gateway: int, stays: Int64) -> None:
        """What is asked of the services in each stay: the address once, mappings as long as it lasts."""
        step = max(int(self.lease * SECOND) - EARLY, int(self.lease * SECOND) // 2)
        renewed = [np.arange(begin + SECOND // 5, end, step, dtype=np.int64) for begin, end in stays.tolist()]
        times = np.concatenate([np.zeros(0, dtype=np.int64), *renewed])
        asked = [("control", stays[:, 0], 620, 480), ("control", times, 980, 420)]
        asked += [("pinhole", times + SECOND // 5, 940, 460)] if self.pinhole else []
        over = stays[:, 1] - SECOND
        asked.append(("control", over[over > stays[:, 0] + SECOND], 720, 400))
        for name, when, up, down in asked:
            speech = draft.speech("http", port=self.port, method="POST", path=PATHS[name], content_type=SOAP)
            n = len(when)
            sizes = around(rng, up, 0.02, n), around(rng, down, 0.02, n)
            draft.calls(speech, gateway, when, up=sizes[0], down=sizes[1], delay=thinking(rng, n, 25.0))
