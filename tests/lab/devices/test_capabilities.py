"""What a device can, told from its own answers; what it cannot, with the price."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.devices.capabilities import COSTS, PROBE_UID, Capabilities, parse_capabilities, probe_command

HELP = "usage: netcat [-46ElLtUu]\n\n-l\tListen\n-q\tQuit\n-u\tUse UDP\n-w\tSECONDS\n-W\tSECONDS\n"
TCP = "  sl  local_address rem_address   st\n"
EVERYTHING = {
    "user": "0",
    "release": "13",
    "sdk": "33",
    "model": "Handset",
    "setpriv": str(PROBE_UID),
    "netcat": HELP,
    "proc_net": TCP,
    "writable": "yes",
}


def answers(said, code=0):
    return "".join(f"==droidrange {name}\n{text}\n={code}\n" for name, text in said.items())


def seen(said, **more):
    return parse_capabilities("s", answers(said), **more)


def test_every_question_has_its_marker_and_its_code():
    assert probe_command().count("==droidrange ") == probe_command().count('echo "=$?"') == 14


def test_a_handset_with_a_sidecar_lacks_nothing():
    caps = seen(EVERYTHING, clock_offset_us=5, sidecar=True)
    assert caps == Capabilities(
        serial="s",
        release="13",
        sdk=33,
        model="Handset",
        user=0,
        root_prefix="",
        uid_switch="setpriv",
        netcat=frozenset("lquwW"),
        nflog="sidecar",
        proc_net=True,
        system_writable=True,
        clock_offset_us=5,
        missing=(),
    )
    assert caps.root


def test_an_emulators_su_and_a_phones_magisk():
    uid = str(PROBE_UID)
    emulator = {
        **EVERYTHING,
        "user": "2000",
        "setpriv": "",
        "su": uid,
        "su root": "0",
        "writable": "",
        "iptables": "--nflog-group",
    }
    caps = seen(emulator)
    assert (caps.uid_switch, caps.root_prefix, caps.nflog) == ("su", "su 0 sh -c", "iptables")
    magisk = {**EVERYTHING, "user": "2000", "setpriv": "", "su -c": uid, "su -c root": "0"}
    caps = seen(magisk)
    assert (caps.uid_switch, caps.root_prefix, caps.nflog) == ("su -c", "su -c", None)
    assert dict(caps.missing) == {name: COSTS[name] for name in ("nflog", "clock")}


def test_a_phone_without_root_has_debuggable_packages_only():
    caps = seen(
        {"user": "2000", "sdk": "34", "run-as usage": "/system/bin/run-as", "netcat": HELP.replace("-u\t", "x")}
    )
    assert (caps.uid_switch, caps.root, caps.user) == ("run-as", False, 2000)
    assert [what for what, _ in caps.missing] == ["root", "run_as_only", "udp", "nflog", "proc_net", "clock"]


def test_what_failed_is_no_answer():
    text = answers({"release": "/bin/sh: getprop: not found", "sdk": "33"}, code=127)
    assert parse_capabilities("s", text).release is None
    assert parse_capabilities("s", text).sdk is None
    # an answer whose code is missing does not borrow the next one's
    assert parse_capabilities("s", "==droidrange release\n13\n==droidrange sdk\n33\n=0\n").release is None


@given(st.text(max_size=200), st.dictionaries(st.sampled_from(sorted(EVERYTHING)), st.text(max_size=30)))
def test_any_text_gives_capabilities(text, said):
    assert parse_capabilities("s", text).serial == "s"
    caps = seen(said)
    assert all(cost for _, cost in caps.missing)
