"""What a view shows of an incident: any row of it, and nothing else, makes it seen."""

import pyarrow as pa
import pytest

from detector.contract import Telemetry, view
from detector.tables import SCHEMAS
from lab.scoring.visibility import unseen


def telemetry(**rows):
    tables = {name: pa.Table.from_pylist(some, schema=SCHEMAS[name]) for name, some in rows.items()}
    return Telemetry(tables, (0, 1))


@pytest.fixture
def truth(make):
    return make.truth(make.incident())


def flow(truth, **changes):
    (one,) = truth.incidents
    return {"device": one.device, "uid": one.uid, "server": "198.18.0.77", "name": one.peers[0], **changes}


def hidden(truth, said):
    return unseen(truth, said) == (truth.incidents[0].incident,)


def test_a_flow_of_its_app_with_its_peer_shows_it(truth):
    assert not hidden(truth, telemetry(flows=[flow(truth)]))
    assert not hidden(truth, telemetry(flows=[flow(truth, name=None, sni=truth.incidents[0].peers[0].upper())]))
    assert not hidden(truth, telemetry(flows=[flow(truth, uid=None)]))  # a sensor without apps


@pytest.mark.parametrize("other", [{"uid": 4242}, {"device": "phone-99"}, {"name": "else.example"}])
def test_what_is_anothers_does_not(truth, other):
    assert hidden(truth, telemetry(flows=[flow(truth, **other)]))
    assert hidden(truth, telemetry(flows=[]))


def test_a_device_may_be_called_by_its_address(truth):
    address = truth.devices[truth.incidents[0].device]
    assert not hidden(truth, telemetry(flows=[flow(truth, device=address, uid=None)]))


def test_in_a_tunnel_its_sockets_show_it_and_to_who_lacks_them_it_is_unseen(make):
    one = make.incident(peers=("api.vendor.example", "198.18.0.77"))
    truth = make.truth(one)
    socket = {"device": one.device, "uid": one.uid, "event": "connect", "peer_address": "198.18.0.77"}
    tunnel = flow(truth, uid=1016, server="198.19.0.1", name=None)
    whole = telemetry(flows=[tunnel], sockets=[socket])
    assert not hidden(truth, whole)
    assert hidden(truth, telemetry(flows=[tunnel]))
    assert hidden(truth, view("netflow")(whole))


def test_a_question_below_its_domain_shows_it_and_one_above_does_not(make):
    one = make.incident(peers=("poll.example.test",))
    truth = make.truth(one)
    asked = [
        {"client": truth.devices[one.device], "qname": name} for name in ("a7.b.poll.example.test", "example.test")
    ]
    assert not hidden(truth, telemetry(dns=asked[:1]))
    assert hidden(truth, telemetry(dns=asked[1:]))


def test_without_incidents_nothing_is_unseen(make):
    assert unseen(make.truth(), telemetry(flows=[])) == ()
