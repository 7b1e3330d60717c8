from lab.protocols.ntp import messages

START = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z


def seconds(data, place):
    """RFC 5905 section 6: since 1900."""
    whole, fraction = (int.from_bytes(data[at : at + 4], "big") for at in (place, place + 4))
    return whole - 2_208_988_800 + fraction / 2**32


def test_a_client_learns_the_scenarios_time(dialogue):
    asked, answered = messages(dialogue([(START, 48, 48, 20_000)], port=123))
    assert (len(asked.data), len(answered.data)) == (48, 48)
    assert (asked.data[0] & 7, answered.data[0] & 7) == (3, 4)
    assert (asked.data[0] >> 3 & 7, answered.data[0] >> 3 & 7) == (4, 4)
    assert asked.data[40:] == answered.data[24:32]
    assert abs(seconds(asked.data, 40) - START / 1e6) < 1e-5
    reference, _, received, sent = (seconds(answered.data, place) for place in (16, 24, 32, 40))
    assert reference < received < sent
    assert START / 1e6 < sent <= START / 1e6 + 0.02
    assert 1 <= answered.data[1] <= 3


def test_every_exchange_asks_anew_and_one_server_keeps_its_source(dialogue):
    said = list(messages(dialogue([(START + i * 64_000_000, 48, 48, 900) for i in range(20)])))
    assert len({m.data for m in said}) == 40
    assert len({m.data[12:16] for m in said if not m.from_client}) == 1


def test_who_is_never_answered_asks_all_the_same(dialogue):
    assert [m.from_client for m in messages(dialogue([(START, 48, 0, 0)]))] == [True]
