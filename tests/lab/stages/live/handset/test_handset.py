"""The arguments, contents and commands that make a handset."""

import re
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.handset import handset
from lab.timeline import App


def app(package: str, uid: int) -> App:
    return App(0, package, "An app", "tools", uid, True, (), "agent", 0)


@pytest.fixture
def arguments(tmp_path):
    return handset.run_arguments(address="10.77.1.10", hosts=tmp_path / "hosts", serial="phone-01", sdk=29)


def test_a_handset_has_no_more_than_two_capabilities_and_a_writable_data(arguments):
    assert set(arguments["caps"]) == {"SETUID", "SETGID"}
    assert "/data" in arguments["tmpfs"]
    assert all("noexec" in options and "nosuid" in options for options in arguments["tmpfs"].values())


def test_the_engine_has_nothing_against_a_handset(arguments, tmp_path):
    policy = pytest.importorskip("lab.stages.live.engine.policy")
    session_module = pytest.importorskip("lab.stages.live.engine.session")
    owner = session_module.Owner(pid=1, started=1, boot="boot")
    session = session_module.Session(id="0123abcd", folder=tmp_path, owner=owner, expires=0, kept=False)
    wanted = {key: value for key, value in arguments.items() if key != "address"}
    assert policy.refusals(session, wanted) == []


def test_release_model_and_serial_reach_the_phone(arguments):
    assert arguments["environment"] == {
        "HANDSET_SDK": "29",
        "HANDSET_MODEL": "Handset",
        "HANDSET_SERIAL": "phone-01",
    }


@pytest.mark.parametrize(
    "wrong", [{"sdk": 30}, {"model": "a;reboot"}, {"model": ""}, {"serial": "$(id)"}, {"serial": "a\nb"}]
)
def test_what_the_phone_cannot_be_is_refused(tmp_path, wrong):
    given_settings = {"address": "10.77.1.10", "hosts": tmp_path / "hosts", "serial": "phone-01", **wrong}
    with pytest.raises(ValueError, match="expected"):
        handset.run_arguments(**given_settings)


def test_hosts_are_sorted_and_localhost_stays():
    text = handset.hosts_text({"b.example": "198.18.0.2", "a.example": "198.18.0.1"})
    assert text == "127.0.0.1 localhost\n198.18.0.1 a.example\n198.18.0.2 b.example\n"


@pytest.mark.parametrize("name", ["", "a b", "a\n198.18.0.1 b", "-a", "a..b", "#a"])
def test_what_is_no_host_name_is_refused(name):
    with pytest.raises(ValueError, match="host name"):
        handset.hosts_text({name: "198.18.0.1"})


@given(st.dictionaries(st.from_regex(r"[a-z]{1,9}\.example", fullmatch=True), st.ip_addresses(v=4).map(str)))
def test_every_name_is_one_line(names):
    lines = handset.hosts_text(names).splitlines()[1:]
    assert {line.split()[1]: str(ip_address(line.split()[0])) for line in lines} == names


def test_hosts_are_rewritten_in_place(tmp_path):
    """A container is bound to the file, not to its name: another file of that name would go unseen."""
    hosts = tmp_path / "hosts"
    handset.write_hosts(hosts, {f"host-{n}.example": "198.18.0.9" for n in range(50)})
    before = hosts.stat()
    handset.write_hosts(hosts, {"a.example": "198.18.0.1"})
    assert hosts.stat().st_ino == before.st_ino
    assert hosts.read_text() == "127.0.0.1 localhost\n198.18.0.1 a.example\n"
    assert hosts.stat().st_mode & 0o777 == 0o644


def test_packages_are_listed_without_daemons():
    text = handset.packages_list([app("com.b.two", 10124), app("netd", 1051), app("com.a.one", 10123)])
    assert text.splitlines() == [
        "com.a.one|10123|1.0|1|3|/data/app/com.a.one-1/base.apk",
        "com.b.two|10124|1.0|1|3|/data/app/com.b.two-1/base.apk",
    ]


@pytest.mark.parametrize("package", ["nodots", "com.a b", "com.a|b", "com.a'b", "com." + "a" * 100, "com.a\nEND"])
def test_what_is_no_package_is_refused(package):
    with pytest.raises(ValueError, match="package name"):
        handset.provision_command([app(package, 10123)])


def test_provisioning_is_one_command():
    command = handset.provision_command([app("com.a.one", 10123)])
    assert re.fullmatch(r"relay stop && boot && cat >>/data/system/packages\.list <<'END'\n[^\n]+\nEND\n", command)


def test_a_proxy_is_started_and_stopped_by_port():
    assert handset.relay_start_command("socks5", 10123, 1080) == "relay start socks5 10123 1080 0.0.0.0"
    assert handset.relay_start_command("connect", 10123, 8080, "10.88.0.11") == (
        "relay start connect 10123 8080 10.88.0.11"
    )
    assert handset.relay_stop_command(1080) == "relay stop 1080"
    assert handset.relay_stop_command() == "relay stop"


@pytest.mark.parametrize(("uid", "port"), [(0, 1080), (2000, 1080), (10123, 80), (10123, 65536), (70000, 1080)])
def test_a_proxy_is_an_app_s_on_a_high_port(uid, port):
    with pytest.raises(ValueError, match="uid"):
        handset.relay_start_command("socks5", uid, port)
