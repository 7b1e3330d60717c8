"""Who one group of AN1793 speaks with, in words: made only for what is reported."""

from __future__ import annotations

from dataclasses import dataclass

from detector.contacts import RARE, Contacts, Flows
from detector.destinations import host_of, registrable
from detector.lookups import Lookups

SHOWN = 4


@dataclass(frozen=True)
class Peer:
    """The destination of one group: its best single name, where it is, and how many names it stands for."""

    name: str
    addresses: tuple[str, ...]  # most frequent first; of look-ups the resolvers asked
    names: int

    def where(self) -> str:
        """The addresses as a phrase, the first few of many."""
        more = len(self.addresses) - SHOWN
        shown = ", ".join(self.addresses[:SHOWN])
        return f"{shown} and {more} more" if more > 0 else shown

    def names_told(self) -> tuple[str, str]:
        """The name and its registrable domain, as lists may hold them; the client told them, and may have lied."""
        return self.name, registrable(self.name)

    def who(self) -> str:
        """The name as a phrase."""
        return f"{self.names} destinations such as {self.name}" if self.names > 1 else self.name


def peer_of(contacts: Contacts, said: Flows | Lookups) -> Peer:
    """Who the contacts are with, from the rows they came from; of a merged group its most frequent destination."""
    rows = contacts.rows
    addresses = tuple(said.server.of(rows))
    rare = contacts.destination == RARE
    if isinstance(said, Lookups):
        domains = said.domain.of(rows) if rare else [contacts.destination]
        return Peer(domains[0], addresses, len(domains))
    names = said.target.of(rows) or said.name.of(rows)
    if rare:
        every = names or list(addresses)
        return Peer(every[0], addresses, len(every))
    same = len(names) == 1 and contacts.destination in (registrable(names[0]), host_of(names[0]))
    return Peer(names[0] if same else contacts.destination, addresses, 1)
