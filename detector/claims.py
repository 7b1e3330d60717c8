"""Names that clients claim against answers of the DNS: whom a flow is judged by where no answer bears its name out.

A client may write any name into its hello or Host, so a name alone vouches for nobody. Where the look-ups of a device
are seen (one answer to it is enough), a name of its flows counts only if some answer, to any device at any time of the
telemetry, gave the server's address for that domain. Else the flow is with whom the answers name for its address, of
several domains that which the most devices were told, or with the address itself.

Raised wrongly by apps that resolve for themselves or ship lists of addresses, by names cached before the telemetry
began. A device whose look-ups are hidden is believed, since nothing can be told. What a front serves is not seen here:
the address of a front does belong to its names.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.columns import NULL, Codes, Int64
from detector.destinations import is_local, registrable
from detector.lookups import Answers

Flags = npt.NDArray[np.bool_]


def translated(column: Codes, texts: list[str]) -> Int64:
    """(n,) the codes that the texts have in another list; NULL for those it has not."""
    place = {text: k for k, text in enumerate(texts)}
    return np.array([*(place.get(text, NULL) for text in column.texts), NULL], np.int64)[column.code]


def unborne(who: Codes, name: Codes, server: Codes, asked: tuple[Codes, Codes, Answers]) -> Flags:
    """(n,) whether no answer bears out the name of a flow of a device whose look-ups are seen.

    ``asked``: devices and domains that the answers have codes of, and the answers. A name that is null claims nothing;
    one that is an address is borne out by being the server's.
    """
    devices, domains, answers = asked
    answered = np.isin(translated(Codes(np.arange(len(who.texts)), who.texts), devices.texts), answers.device)
    seen = np.append(answered, False)[who.code] & (name.code != NULL)
    local = np.array([is_local(text) for text in server.texts] + [True])[server.code]
    claimed = name.renamed([registrable(text) for text in name.texts])
    address = translated(server, answers.address.texts)
    domain = translated(claimed, domains.texts)
    width = len(domains.texts) + 2
    pairs, wanted = np.unique(answers.address.code * width + answers.domain), address * width + domain
    place = np.minimum(np.searchsorted(pairs, wanted), max(len(pairs) - 1, 0))
    told = pairs[place] == wanted if len(pairs) else np.zeros(len(wanted), np.bool_)
    itself = translated(claimed, server.texts) == server.code
    return np.asarray(seen & ~local & ~itself & ~(told & (address != NULL) & (domain != NULL)))


def resolved_to(server: Codes, domains: Codes, answers: Answers) -> Codes:
    """(n,) the domain answered with each server's address, of several the one told to most devices; else the address.

    >>> domains = Codes(np.array([0, 1]), ["a.example", "b.example"])
    >>> told = Answers(np.array([0, 0, 1]), Codes(np.zeros(3, np.int64), ["198.18.0.1"]), np.array([0, 1, 1]))
    >>> found = resolved_to(Codes(np.array([0, 1]), ["198.18.0.1", "198.18.0.2"]), domains, told)
    >>> [found.text(k) for k in range(2)]
    ['b.example', '198.18.0.2']
    """
    width = len(domains.texts) + 1
    pairs, many = np.unique(answers.address.code * width + answers.domain, return_counts=True)
    address, domain = np.divmod(pairs, width)
    name = np.argsort(np.argsort(np.array(domains.texts, dtype=object)))[domain] if len(pairs) else domain
    order = np.lexsort((-name, many, address))  # the last of each address is the best
    best = np.full(len(answers.address.texts) + 1, NULL, np.int64)
    best[address[order]] = domain[order]
    of = best[translated(Codes(np.arange(len(server.texts)), server.texts), answers.address.texts)]
    code = np.where(of == NULL, np.arange(len(server.texts)) + len(domains.texts), of)
    return Codes(np.append(code, NULL)[server.code], domains.texts + server.texts)


def judged_by(who: Codes, claimed: tuple[Codes, Codes], server: Codes, asked: tuple[Codes, Codes, Answers]) -> Codes:
    """(n,) whom flows are judged by whose name no answer bears out; NULL where the claim stands.

    ``claimed``: what a proxy was asked for, which nobody's answers can tell of, and the server's name.
    """
    target, name = claimed
    doubted = unborne(who, name, server, asked) & (target.code == NULL)
    resolved = resolved_to(Codes(server.code[doubted], server.texts), *asked[1:])
    code = np.full(len(doubted), NULL, np.int64)
    code[doubted] = resolved.code
    return Codes(code, resolved.texts)


def replaced(said: Codes, judged: Codes) -> Codes:
    """(n,) the first, but the second where that is not null.

    >>> found = replaced(Codes(np.array([0, 0]), ["a"]), Codes(np.array([NULL, 0]), ["198.18.0.1"]))
    >>> [found.text(k) for k in range(2)]
    ['a', '198.18.0.1']
    """
    other = judged.code != NULL
    if not other.any():
        return said
    code = np.where(other, judged.code + len(said.texts), said.code)
    return Codes(code, said.texts + judged.texts).renamed(said.texts + judged.texts)
