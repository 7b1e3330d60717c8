import numpy as np
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from lab.replaying.addressing import mapped
from lab.replaying.ports import STEP, turned
from lab.replaying.rewriting import Rewriting
from lab.replaying.source import read_source

ETHER = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:01")
THERE, BACK = IP(src="10.88.3.4", dst="198.18.0.9"), IP(src="198.18.0.9", dst="10.88.3.4")


def turned_frames(path, times=1):
    source = read_source(path)
    block = Rewriting(mapped(source.addresses, (), {}), {}).block(source)
    for _ in range(times):
        turned(block.buffer, np.where(source.transport >= 0, block.begin + source.transport, -1), source)
    return [bytes(block.buffer[b : b + s]) for b, s in zip(block.begin, block.size, strict=True)]


def test_the_asking_socket_moves_in_both_directions_and_sums_stay_valid(write_pcap, valid):
    made = [
        ETHER / THERE / TCP(sport=40_000, dport=443, flags="S"),
        ETHER / BACK / TCP(sport=443, dport=40_000, flags="SA"),
        ETHER / THERE / UDP(sport=41_000, dport=443) / b"q",
    ]
    out = turned_frames(write_pcap(made))
    assert all(map(valid, out))
    assert [Ether(one)[IP].payload.sport for one in out] == [40_000 + STEP, 443, 41_000 + STEP]
    assert Ether(out[1])[TCP].dport == 40_000 + STEP


def test_service_ports_and_multicast_dns_and_sums_that_were_never_made_stay(write_pcap):
    made = [
        ETHER / THERE / UDP(sport=123, dport=123),
        ETHER / THERE / UDP(sport=5353, dport=5353),
        ETHER / THERE / UDP(sport=40_000, dport=9, chksum=0),
    ]
    out = [Ether(one)[UDP] for one in turned_frames(write_pcap(made))]
    assert [one.sport for one in out] == [123, 5353, 40_000 + STEP]
    assert out[2].chksum == 0


def test_ports_never_become_privileged_and_never_collide(write_pcap):
    made = [ETHER / THERE / UDP(sport=port, dport=9) for port in (1024, 30_000, 60_000, 65_535)]
    path, seen = write_pcap(made), []
    for times in range(1, 20):
        ports = [Ether(one)[UDP].sport for one in turned_frames(path, times)]
        assert min(ports) >= 1024
        assert len(set(ports)) == 4
        seen.append(tuple(ports))
    assert len(set(seen)) == len(seen)
