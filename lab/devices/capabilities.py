"""What a device can do for the lab, honestly, and what each missing thing costs. Pure: text in, values out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

PROBE_UID = 10999  # an app uid that no app has
_MARK = "==droidrange "
_PROBES = {
    "user": "id -u",
    "release": "getprop ro.build.version.release",
    "sdk": "getprop ro.build.version.sdk",
    "model": "getprop ro.product.model",
    "setpriv": f"setpriv --reuid {PROBE_UID} --regid {PROBE_UID} --clear-groups id -u",
    "su": f"su {PROBE_UID} id -u",
    "su -c": f"su {PROBE_UID} -c 'id -u'",
    "su root": "su 0 id -u",
    "su -c root": "su -c 'id -u'",
    "run-as usage": "command -v run-as",
    "netcat": "toybox nc --help",
    "iptables": "iptables -m conntrack --help && iptables -j NFLOG --help",
    "proc_net": "cat /proc/net/tcp",
    "writable": "touch {0} && rm {0} && echo yes".format("/system/etc/security/cacerts/.droidrange"),
}
COSTS = {
    "root": "no system CA (apps that do not trust user CAs stay encrypted), no iptables, no other apps' /proc",
    "uid_switch": "no conversation can be opened under an app's uid",
    "run_as_only": "only debuggable packages can hold conversations (run-as); others cannot",
    "netcat": "no conversation can be opened at all",
    "udp": "UDP conversations cannot be played (this toybox nc has no -u)",
    "nflog": "who opened a connection is sampled from /proc/net: short connections are missed (1 of 2000 seen)",
    "proc_net": "no socket is attributed to an app",
    "clock": "device times cannot be brought to the lab's clock",
}


@dataclass(frozen=True)
class Capabilities:
    """One device. ``None`` is "could not be told" or "there is none"; ``missing`` says what that costs."""

    serial: str
    release: str | None
    sdk: int | None
    model: str | None
    user: int | None  # whom adb's shell runs as: 0 root, 2000 shell
    root_prefix: str | None  # before a quoted command, to run it as root: "", "su 0 sh -c", "su -c"; None: no root
    uid_switch: str | None  # setpriv | su | su -c | run-as
    netcat: frozenset[str] | None  # its flags, one letter each
    nflog: str | None  # sidecar | iptables
    proc_net: bool
    system_writable: bool
    clock_offset_us: int | None  # device clock minus ours
    missing: tuple[tuple[str, str], ...] = ()  # (what, what it costs)

    @property
    def root(self) -> bool:
        """Whether commands can run as root."""
        return self.root_prefix is not None


def probe_command() -> str:
    """One shell command that asks everything, each answer behind its marker, the exit code last."""
    return "; ".join(
        f"echo '{_MARK}{name}'; ({command}) </dev/null 2>&1; echo \"=$?\"" for name, command in _PROBES.items()
    )


def parse_capabilities(
    serial: str, text: str, *, clock_offset_us: int | None = None, sidecar: bool = False
) -> Capabilities:
    """What the answers of ``probe_command`` say; anything unreadable is absent.

    ``sidecar``: the lab runs an NFLOG reader in the device's network namespace, which the device itself cannot know.
    """
    answers = {name: _answer(text, name) for name in _PROBES}
    caps = Capabilities(
        serial=serial,
        release=answers["release"] or None,
        sdk=_number(answers["sdk"]),
        model=answers["model"] or None,
        user=_number(answers["user"]),
        root_prefix=_root_prefix(answers),
        uid_switch=_uid_switch(answers),
        netcat=_flags(answers["netcat"]),
        nflog="sidecar" if sidecar else _own_nflog(answers),
        proc_net="local_address" in answers["proc_net"],
        system_writable=answers["writable"] == "yes",
        clock_offset_us=clock_offset_us,
    )
    return replace(caps, missing=tuple((name, COSTS[name]) for name in _missing(caps)))


def _missing(caps: Capabilities) -> list[str]:
    """Names of ``COSTS`` that this device lets us pay."""
    there = {
        "root": caps.root,
        "uid_switch": caps.uid_switch is not None,
        "run_as_only": caps.uid_switch != "run-as",
        "netcat": caps.netcat is not None,
        "udp": caps.netcat is None or "u" in caps.netcat,
        "nflog": caps.nflog is not None,
        "proc_net": caps.proc_net,
        "clock": caps.clock_offset_us is not None,
    }
    return [name for name, found in there.items() if not found]


def _uid_switch(answers: dict[str, str]) -> str | None:
    """The first way that became the uid asked for; run-as needs a debuggable package to be tried, so it counts last."""
    tried = next((way for way in ("setpriv", "su", "su -c") if _number(answers[way]) == PROBE_UID), None)
    return tried or ("run-as" if "run-as" in answers["run-as usage"] else None)


def _own_nflog(answers: dict[str, str]) -> str | None:
    rooted = _root_prefix(answers) is not None
    return "iptables" if rooted and "nflog-group" in answers["iptables"] else None


def _root_prefix(answers: dict[str, str]) -> str | None:
    """AOSP's su takes words, Magisk's a string behind -c."""
    ways = {"user": "", "su root": "su 0 sh -c", "su -c root": "su -c"}
    return next((prefix for way, prefix in ways.items() if _number(answers[way]) == 0), None)


def _answer(text: str, name: str) -> str:
    """What the command said if it went well, else nothing."""
    found = re.search(rf"^{re.escape(_MARK + name)}\r?\n(.*?)^=0\r?$", text, re.DOTALL | re.MULTILINE)
    return found[1].strip() if found and _MARK not in found[1] else ""


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _flags(usage: str) -> frozenset[str] | None:
    """The letters of the lines ``-x<tab>meaning`` of toybox's help; ``None`` where it has no nc."""
    letters = frozenset(re.findall(r"^-([A-Za-z0-9])\s", usage, re.MULTILINE))
    return letters or None
