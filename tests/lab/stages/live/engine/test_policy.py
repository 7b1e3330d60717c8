from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.engine.policy import CAPS, DEFAULTS, container_settings, refusals
from lab.stages.live.engine.session import Owner, Session

SESSION = Session("0badcafe", Path("/home/me/labs/0badcafe"), Owner(7, 8, "boot"), 1_800_000_000, kept=False)
NETWORK = SESSION.full_name("underlay")
REFUSED = [
    {"privileged": True},
    {"privileged": False},  # nobody even speaks of it
    {"network_mode": "host"},
    {"network_mode": "bridge"},
    {"network_mode": "default"},
    {"network": "host"},
    {"network": "bridge"},
    {"network": "droidrange-deadbeef-underlay"},
    {"network": NETWORK, "network_mode": "none"},
    {"ports": {"80/tcp": 80}},
    {"publish_all_ports": True},
    {"restart_policy": {"Name": "always"}},
    {"pid_mode": "host"},
    {"ipc_mode": "host"},
    {"uts_mode": "host"},
    {"userns_mode": "host"},
    {"cgroupns": "host"},
    {"security_opt": ["seccomp=unconfined"]},
    {"cap_add": ["SYS_ADMIN"]},
    {"cap_drop": []},
    {"caps": ["SYS_ADMIN"]},
    {"caps": ["ALL"]},
    {"caps": ["SYS_PTRACE"]},
    {"caps": ["CAP_NET_ADMIN"]},
    {"read_only": False},
    {"devices": ["/dev/sda:/dev/sda:rwm"]},
    {"device_cgroup_rules": ["a *:* rwm"]},
    {"device_requests": [{}]},
    {"volumes": {"/var/run/docker.sock": {"bind": "/s", "mode": "ro"}}},
    {"volumes": ["/run/docker.sock:/s:ro"]},
    {"volumes": ["/run/user/7/podman/podman.sock:/s:ro"]},
    {"volumes": {"/run": {"bind": "/host-run", "mode": "ro"}}},
    {"volumes": {"/": {"bind": "/host", "mode": "ro"}}},
    {"volumes": ["/:/host:ro"]},
    {"volumes": {"/home/me/labs/0badcafe/../../..": {"bind": "/host", "mode": "ro"}}},
    {"volumes": {"somebody": {"bind": "/data", "mode": "ro"}}},
    {"volumes": ["somebody:/data"]},
    {"volumes": {"/home/me": {"bind": "/data", "mode": "rw"}}},
    {"volumes": {"/home/me": {"bind": "/data"}}},
    {"volumes": ["/home/me:/data"]},
    {"volumes": ["/home/me/labs/0badcafe-not:/data"]},
    {"mounts": [{"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/s", "ReadOnly": True}]},
    {"mounts": [{"Type": "bind", "Source": "/home/me", "Target": "/s"}]},
    {"mounts": [{"Type": "volume", "Source": "somebody", "Target": "/s", "ReadOnly": True}]},
    {"pids_limit": -1},
    {"pids_limit": 0},
    {"pids_limit": None},
    {"mem_limit": 0},
    {"mem_limit": "-1"},
    {"auto_remove": True},
    {"remove": True},
    {"volumes_from": ["another"]},
    {"links": {"a": "b"}},
    {"runtime": "another"},
    {"cgroup_parent": "/"},
    {"oom_kill_disable": True},
    {"something_docker_will_invent": True},
]
GRANTED = [
    {"network": NETWORK, "caps": ["NET_ADMIN", "NET_RAW"]},
    {"network_mode": "container:abcdef"},
    {"volumes": {"/home/me/labs/0badcafe/rec": {"bind": "/rec", "mode": "rw"}}},
    {"volumes": ["/home/me/labs/0badcafe/rec:/rec", "/opt/plan:/plan:ro"]},
    {"mounts": [{"Type": "tmpfs", "Target": "/data"}]},
    {"devices": ["/dev/net/tun"], "pids_limit": 512, "mem_limit": "1g"},
]


WORDS = {"volumes": "mount of", "mounts": "mount of", "caps": "capability", "devices": "device"}


def settings(**wanted):
    return container_settings(SESSION, "gateway", "droidrange/base:1", "gateway", **wanted)


def test_a_container_that_asks_for_nothing_has_nothing():
    made = settings()
    assert made["cap_drop"] == ["ALL"]
    assert made["cap_add"] == []
    assert made["security_opt"] == ["no-new-privileges:true"]
    assert made["read_only"] is True
    assert made["network_mode"] == "none"
    assert made["init"] is True
    assert made["ipc_mode"] == "private"
    assert made["mem_limit"] == made["memswap_limit"]
    assert made["pids_limit"] > 0
    assert made["use_config_proxy"] is False
    assert made["name"] == "droidrange-0badcafe-gateway"
    assert made["labels"]["droidrange.lab"] == "0badcafe"
    assert made["labels"]["droidrange.role"] == "gateway"


@pytest.mark.parametrize("wanted", REFUSED, ids=str)
def test_what_no_lab_may_have_is_refused_by_name(wanted):
    (key,) = wanted if len(wanted) == 1 else ("network",)
    with pytest.raises(ValueError, match=f"gateway: .*{WORDS.get(key, key)}"):
        settings(**wanted)


@pytest.mark.parametrize("wanted", GRANTED, ids=str)
def test_what_a_role_needs_is_granted_and_costs_no_protection(wanted):
    made = settings(**wanted)
    kept = ("cap_drop", "security_opt", "read_only", "ipc_mode", "detach", "use_config_proxy")
    assert {key: made[key] for key in kept} == {key: DEFAULTS[key] for key in kept}


def test_every_fault_is_told_at_once():
    assert len(refusals(SESSION, {"privileged": True, "caps": ["ALL"], "network": "host", "pids_limit": 0})) == 4


def test_labels_and_tmpfs_are_added_not_replaced():
    made = settings(labels={"device": "phone-01"}, tmpfs={"/run": "size=1m"})
    assert made["labels"]["droidrange.device"] == "phone-01"
    assert set(made["tmpfs"]) == {"/tmp", "/run"}


KEYS = st.sampled_from(sorted({key for wanted in REFUSED + GRANTED for key in wanted} | {"command", "user", "init"}))
VALUES = st.one_of(
    st.booleans(),
    st.none(),
    st.integers(-2, 4096),
    st.sampled_from(["host", "none", "container:abc", NETWORK, "/:/x", "1g"]),
    st.lists(st.sampled_from([*sorted(CAPS), "SYS_ADMIN", "ALL", "/dev/kvm", "/dev/mem", "/:/host"]), max_size=3),
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_whatever_is_asked_the_answer_keeps_the_policy(wanted):
    try:
        made = settings(**wanted)
    except (ValueError, TypeError, AttributeError):
        return
    assert not {"privileged", "ports", "restart_policy", "pid_mode", "userns_mode"} & set(made)
    assert made["cap_drop"] == ["ALL"]
    assert set(made["cap_add"]) <= CAPS
    assert made["security_opt"] == ["no-new-privileges:true"]
    assert made.get("network_mode", "none").split(":")[0] in {"none", "container"}
    assert made.get("network") in {None, NETWORK}
    assert made["read_only"] is True
    assert made["pids_limit"]
    assert made["mem_limit"]
