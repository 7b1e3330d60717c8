"""DNS look-ups with who asked, and whether anybody then connected to the answer.

A look-up that is followed by a connection is part of that connection; what remains is DNS used for its own sake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.columns import NULL, Codes, Int64, codes, joined, whole
from detector.destinations import registrable

if TYPE_CHECKING:
    from detector.flow_columns import Flows

#: Reverse zones and names that only exist on the local network (RFC 6761, RFC 6762, RFC 8375).
UNREGISTERED = ("in-addr.arpa", "ip6.arpa", "local", "localhost", "home.arpa", "lan")


@dataclass(frozen=True)
class Answers:
    """(k,) distinct triples of who asked, an answered address (or name) and a registrable domain.

    Who and domain are codes into Lookups.device and Lookups.domain.
    """

    device: Int64
    address: Codes
    domain: Int64


@dataclass(frozen=True)
class Lookups:
    """The columns of a dns table the analytics read, and the asking device and app; n rows."""

    flow: Int64
    time: Int64
    device: Codes
    uid: Int64
    package: Codes
    qname: Codes
    qtype: Codes
    server: Codes
    domain: Codes
    up: Int64
    down: Int64
    unused: npt.NDArray[np.bool_]  # nobody on the device connected to the name or to an answered address
    answers: Answers


def read_lookups(table: pa.Table, flows: Flows | None) -> Lookups:
    """The look-ups of a dns table; asker by flow number where ``flows`` holds it, else by the client's address."""
    client, qname = codes(table["client"]), codes(table["qname"])
    device, uid, package = client, np.full(len(table), NULL, np.int64), Codes(np.full(len(table), NULL, np.int64), [])
    if flows is not None:
        device, uid, package = _askers(flows, whole(table["flow"]), client)
    domain = qname.renamed([registrable(text) for text in qname.texts])
    parents, answers = _answers(table)
    local = np.array([_unregistered(text) for text in qname.texts] + [True])
    unused = ~local[qname.code]
    if flows is not None:
        unused &= ~_used(flows, device, qname, parents, answers)
    return Lookups(
        flow=whole(table["flow"]),
        time=whole(table["time"]),
        device=device,
        uid=uid,
        package=package,
        qname=qname,
        qtype=codes(table["qtype"]),
        server=codes(table["server"]),
        domain=domain,
        up=whole(table["bytes_up"]),
        down=whole(table["bytes_down"]),
        unused=unused,
        answers=_answered(device, domain, parents, answers),
    )


def answers_of(table: pa.Table, device: Codes) -> tuple[Codes, Answers]:
    """(n,) the registrable domain each look-up of a dns table asked for, and what was answered to which device."""
    qname = codes(table["qname"])
    domain = qname.renamed([registrable(text) for text in qname.texts])
    return domain, _answered(device, domain, *_answers(table))


def _unregistered(name: str) -> bool:
    return "." not in name or name.endswith(tuple("." + zone for zone in UNREGISTERED))


def _askers(flows: Flows, flow: Int64, client: Codes) -> tuple[Codes, Int64, Codes]:
    asking = np.flatnonzero(flows.inbound == 0)
    row = joined(flows.flow[asking], flow)
    found = row != NULL
    row = np.where(found, asking[np.maximum(row, 0)] if len(asking) else 0, 0)
    texts = flows.device.texts + client.texts
    mine = flows.device.code[row] if len(flows.flow) else row
    device = Codes(np.where(found, mine, client.code + len(flows.device.texts)), texts).renamed(texts)
    uid = np.where(found, flows.uid[row] if len(flows.flow) else NULL, NULL)
    package = np.where(found, flows.package.code[row] if len(flows.flow) else NULL, NULL)
    return device, uid, Codes(package, flows.package.texts)


def _answers(table: pa.Table) -> tuple[Int64, Codes]:
    """(m,) row of every answer, and the answers as codes."""
    lists = table["answers"].combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else pa.array([], lists.type)
    parents = np.asarray(pc.list_parent_indices(lists), np.int64)
    return parents, codes(pa.chunked_array([pc.list_flatten(lists)], type=pa.string()))


def _used(flows: Flows, device: Codes, qname: Codes, parents: Int64, answers: Codes) -> npt.NDArray[np.bool_]:
    """(n,) whether the asking device has a flow to the name, or to an address of the answer, that is no DNS itself."""
    rows = np.flatnonzero(flows.inbound == 0)
    places = {text: k for k, text in enumerate(device.texts)}
    owner = np.array([places.get(text, NULL) for text in flows.device.texts] + [NULL], np.int64)[
        flows.device.code[rows]
    ]
    spoken_to = Codes(flows.name.code[rows], flows.name.texts)
    used = _paired(device.code, qname, owner, spoken_to)
    hit = _paired(device.code[parents], answers, owner, Codes(flows.server.code[rows], flows.server.texts))
    # an answer counts for every look-up of the same name by the same device: A, AAAA and HTTPS go together
    names = device.code * (len(qname.texts) + 1) + qname.code
    return used | np.isin(names, names[parents[hit]])


def _paired(device: Int64, text: Codes, owner: Int64, known: Codes) -> npt.NDArray[np.bool_]:
    places = {word: k for k, word in enumerate(known.texts)}
    same = np.array([places.get(word, -2) for word in text.texts] + [-2], np.int64)[text.code]
    step = len(known.texts) + 3
    return np.isin(device * step + same, owner * step + known.code) & (same >= 0)


def _answered(device: Codes, domain: Codes, parents: Int64, answers: Codes) -> Answers:
    width, many = len(domain.texts) + 1, len(answers.texts) + 1
    known = (answers.code != NULL) & (domain.code[parents] != NULL)
    keys = (device.code[parents] * many + answers.code) * width + domain.code[parents]
    pairs, of = np.divmod(np.unique(keys[known]), width)
    who, address = np.divmod(pairs, many)
    return Answers(who, Codes(address, answers.texts), of)
