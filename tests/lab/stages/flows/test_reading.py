"""What is read in flows: the words of the conversation at hand, not ours."""

from lab.behaviours import Speech
from lab.stages.flows.reading import openings, read_names, replaced


def names_of(timeline, scene_from):
    ways = scene_from(timeline).ways
    names, which = read_names(timeline, ways, openings(timeline, ways))
    return [names[one] for one in which]


def test_names_are_those_of_host_app_and_options(timeline_of, talk, scene_from):
    said = [
        talk([(0, 300, 300, 0)], speech=Speech("http", port=80)),
        talk([(0, 300, 300, 0)], start=1, host=3, speech=Speech("http", tls=True)),
        talk(
            [(0, 30, 30, 0)], start=2, host=1, speech=Speech("socks5", port=1080, options={"target": "a.example:443"})
        ),
        talk([(0, 30, 30, 0)], start=3, host=1, inbound=True, speech=Speech("opaque", port=99)),
    ]
    web, secured, proxy, other = names_of(timeline_of(said), scene_from)
    assert (web.app_proto, web.host, web.user_agent) == ("http", "api.garden.example", "okhttp/4.12.0")
    assert (secured.app_proto, secured.sni, secured.host) == ("tls", "cdn.river.test", None)
    assert (proxy.proxy, proxy.proxy_target, proxy.proxy_granted) == ("socks5", "a.example:443", True)
    assert other.app_proto is None


def test_nothing_of_ours_is_left(tiny, scene_from):
    assert "qz" not in repr(names_of(tiny, scene_from))


def test_a_handshake_of_wireguard_is_told_from_data(timeline_of, talk, scene_from):
    said = [talk([(0, up, 92, 0)], start=at, speech=Speech("datagram", port=51820)) for at, up in ((0, 148), (1, 140))]
    assert [one.app_proto for one in names_of(timeline_of(said), scene_from)] == ["wireguard", None]


def test_only_text_is_replaced():
    assert replaced("GET a", {"a": "b"}) == "GET b"
    assert replaced(None, {"a": "b"}) is None
