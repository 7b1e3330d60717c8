import numpy as np

from lab.replaying.addressing import mapped
from lab.replaying.prepared import prepare, write_pcap_header, write_pcap_records
from lab.replaying.rewriting import Rewriting
from lab.replaying.source import read_source


def prepared_of(path):
    source = read_source(path)
    told = []
    found = prepare(
        source, Rewriting(mapped(source.addresses, (), {}), {}), lambda done, total: told.append((done, total))
    )
    assert told[-1] == (len(source), len(source))
    return source, found


def test_what_is_prepared_is_the_capture_and_is_written_as_it_was(recorded, tmp_path, read_frames):
    capture = recorded / "telemetry/capture.pcap"
    source, prepared = prepared_of(capture)
    assert list(prepared.frames()) == read_frames(capture)
    with (tmp_path / "again.pcap").open("wb") as file:
        write_pcap_header(file)
        write_pcap_records(file, prepared, source.time)
    assert (tmp_path / "again.pcap").read_bytes() == capture.read_bytes()


def test_the_next_round_asks_from_other_ports(recorded, valid):
    _, prepared = prepared_of(recorded / "telemetry/capture.pcap")
    before = list(prepared.frames())
    prepared.turn()
    after = list(prepared.frames())
    assert prepared.round == 1
    assert all(map(valid, after))
    assert np.mean([one != other for one, other in zip(before, after, strict=True)]) == 1.0
    assert [len(one) for one in before] == [len(one) for one in after]
