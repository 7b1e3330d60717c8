from ipaddress import IPv4Network

import pytest

from lab.errors import PrerequisiteError, StageError
from lab.stages.live.engine import open_session
from lab.stages.live.engine.session import unsettled

IMAGE = "droidrange/base:abc"


@pytest.fixture
def session(docker):
    return open_session()


def body(docker, container):
    return docker.containers[container.id]["body"]


def test_a_container_of_a_lab_as_the_engine_gets_to_see_it(docker, engine, session):
    network = engine.network(session)
    container = engine.run(
        session, "gateway", IMAGE, "gateway", network=network.name, address="10.77.1.2", caps=["NET_RAW"]
    )
    asked = body(docker, container)
    host = asked["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == ["NET_RAW"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ReadonlyRootfs"] is True
    assert host["IpcMode"] == "private"
    assert host["Init"] is True
    assert host["PidsLimit"] == 128
    assert host["Memory"] == host["MemorySwap"] == 256 << 20
    assert not host.get("Privileged")
    assert not host.get("PortBindings")
    assert not host.get("RestartPolicy")
    assert asked["NetworkingConfig"] == {
        "EndpointsConfig": {network.name: {"IPAMConfig": {"IPv4Address": "10.77.1.2"}}}
    }
    assert asked["Labels"]["droidrange.lab"] == session.id
    assert docker.containers[container.id]["running"]
    assert unsettled(session.folder) == {}


def test_a_network_of_a_lab_as_the_engine_gets_to_see_it(docker, engine, session):
    network = engine.network(session)
    asked = docker.networks[network.id]["body"]
    assert asked["Internal"] is True
    assert asked["Options"]["com.docker.network.driver.mtu"] == "1600"
    (pool,) = asked["IPAM"]["Config"]
    assert IPv4Network(pool["Subnet"]).subnet_of(IPv4Network("10.77.0.0/16"))
    assert asked["Labels"]["droidrange.role"] == "network"


def test_two_networks_never_share_a_subnet(docker, engine, session):
    subnets = {engine.network(session, name).attrs["IPAM"]["Config"][0]["Subnet"] for name in ("a", "b", "c")}
    assert len(subnets) == 3


def test_a_subnet_lost_to_another_lab_meanwhile_is_passed_over(docker, engine, session, monkeypatch):
    taken = []
    one = docker.one

    def racing(method, kind, rest, query, content):
        if rest == "create" and len(taken) < 2:
            taken.append(content["IPAM"]["Config"][0]["Subnet"])
            return 403, {"message": "Pool overlaps with other one on this address space"}
        return one(method, kind, rest, query, content)

    monkeypatch.setattr(docker, "one", racing)
    network = engine.network(session)
    assert network.attrs["IPAM"]["Config"][0]["Subnet"] not in taken
    assert len(set(taken)) == 2


def test_without_a_free_network_the_message_cleans(docker, engine, session):
    docker.create("networks", "all", {}, {"IPAM": {"Config": [{"Subnet": "10.77.0.0/16"}]}})
    with pytest.raises(PrerequisiteError, match="droidrange lab clean"):
        engine.network(session)


def test_networks_that_have_no_ipv4_are_passed_over(docker, engine):
    docker.create("networks", "v6", {}, {"IPAM": {"Config": [{"Subnet": "fd00::/64"}, {}]}})
    docker.create("networks", "host", {}, {"IPAM": {"Config": None}})
    assert set(map(str, engine.subnets())) == {"172.17.0.0/16"}


def test_what_the_policy_refuses_never_reaches_the_engine(docker, engine, session):
    docker.calls.clear()
    with pytest.raises(ValueError, match="privileged"):
        engine.run(session, "x", IMAGE, "x", privileged=True)
    assert docker.calls == []


def test_an_image_that_is_not_built_names_the_command(docker, engine, session):
    with pytest.raises(PrerequisiteError, match=r"No such image: droidrange/none.*droidrange lab up"):
        engine.run(session, "x", "droidrange/none:1", "x")
    assert unsettled(session.folder) == {}


def test_a_sidecar_lives_in_the_namespace_of_another(docker, engine, session):
    handset = engine.run(session, "handset", IMAGE, "handset-01")
    sidecar = engine.sidecar(session, "sensor", IMAGE, "sensor-01", beside=handset, command=["watch"])
    host = body(docker, sidecar)["HostConfig"]
    assert host["NetworkMode"] == f"container:{handset.id}"
    assert host["CapAdd"] == ["NET_ADMIN"]


@pytest.mark.parametrize(("code", "fails"), [(0, False), (3, True)])
def test_a_sidecar_that_ends_tells_its_output_and_is_gone(docker, engine, session, monkeypatch, code, fails):
    handset = engine.run(session, "handset", IMAGE, "handset-01")
    monkeypatch.setattr("docker.models.containers.Container.wait", lambda _self, **_rest: {"StatusCode": code})
    monkeypatch.setattr("docker.models.containers.Container.logs", lambda _self: b"said\n")
    if fails:
        with pytest.raises(StageError, match="ended with 3: said"):
            engine.once(session, "netns", IMAGE, "netns-01", beside=handset, command=["set-up"])
    else:
        assert engine.once(session, "netns", IMAGE, "netns-01", beside=handset, command=["set-up"]) == "said\n"
    assert [container.id for container in engine.containers(session)] == [handset.id]


def test_containers_of_one_lab_and_of_all(docker, engine, session):
    other = open_session()
    engine.run(session, "b", IMAGE, "b")
    engine.run(session, "a", IMAGE, "a")
    engine.run(other, "c", IMAGE, "c")
    assert [c.name for c in engine.containers(session)] == [session.full_name("a"), session.full_name("b")]
    assert len(engine.containers(None)) == 4  # and the one that only says it is of a lab


def test_removing_what_is_gone_is_no_fault(docker, engine, session):
    container = engine.run(session, "a", IMAGE, "a")
    engine.remove(container)
    engine.remove(container)
    docker.fail("error", 0)
    with pytest.raises(StageError, match="cannot be removed: the daemon is unwell"):
        engine.remove(container)
