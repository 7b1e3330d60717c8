"""Which analytic a foreign rule speaks for: by the ATT&CK techniques it names, its own word, or the caller's.

Pure. Enterprise techniques count where ATT&CK Mobile has the same behaviour under a number of its own, since most rule
sets are written for Enterprise. Read off ATT&CK Mobile 19.1 (T1437 and T1604 are those of AN1793 and AN1702); that
T1481 is Web Service, and the Enterprise numbers, are from memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from detector.contract import ANALYTICS

#: The word of a rule that names its analytic, where its techniques do not tell.
KEY = "droidrange_analytic"
#: The word of an adapter's argument that names it for all rules that do not say it themselves.
WORD = "?analytic="
#: Technique without its sub-technique -> analytic.
TECHNIQUES: Mapping[str, str] = {
    "T1437": "AN1793",  # Application Layer Protocol (Mobile)
    "T1071": "AN1793",  # Application Layer Protocol (Enterprise)
    "T1481": "AN1793",  # Web Service (Mobile)
    "T1102": "AN1793",  # Web Service (Enterprise)
    "T1604": "AN1702",  # Proxy Through Victim (Mobile)
    "T1090": "AN1702",  # Proxy (Enterprise)
}
#: T1437, T1437.001, T1437_001, attack.t1437.001: as rule sets write them.
_TECHNIQUE = re.compile(r"^(?:attack\.)?(t\d{4})(?:[._]\d{3})?$", re.IGNORECASE)


def split_argument(argument: str) -> tuple[str, str | None]:
    """The path of an adapter's argument and the analytic after WORD, if any; LookupError for one that is none.

    >>> split_argument("my.rules?analytic=AN1793"), split_argument("my.rules")
    (('my.rules', 'AN1793'), ('my.rules', None))
    """
    path, word, analytic = argument.rpartition(WORD)
    if not word:
        return argument, None
    if analytic not in ANALYTICS:
        raise LookupError(f"found {WORD}{analytic}, expected {WORD}{f' or {WORD}'.join(ANALYTICS)}")
    return path, analytic


def techniques_in(tags: Iterable[str]) -> list[str]:
    """The techniques among tags or metadata values, as ATT&CK writes them, without sub-techniques, each once.

    >>> techniques_in(["attack.t1437.001", "attack.command_and_control", "T1071", "T1437_001"])
    ['T1437', 'T1071']
    """
    found = (_TECHNIQUE.match(tag.strip()) for tag in tags)
    return list(dict.fromkeys(match[1].upper() for match in found if match))


def analytic_of(tags: Iterable[str], *, said: str | None, given: str | None, rule: str, line: str) -> str:
    """The analytic of a rule: what it says by KEY (``said``), else by its techniques, else what the caller has given.

    ``rule`` names the rule in an error and ``line`` is what its author would add: LookupError for a rule that tells
    nothing, several things, or an analytic that does not exist.
    """
    if said is not None:
        if said not in ANALYTICS:
            raise LookupError(f"{rule}: {KEY}: found {said!r}, expected {' or '.join(ANALYTICS)}")
        return said
    techniques = techniques_in(tags)
    meant = sorted({TECHNIQUES[one] for one in techniques if one in TECHNIQUES})
    if len(meant) == 1:
        return meant[0]
    if given is not None:
        return given
    told = f"techniques {', '.join(techniques)}" if techniques else "no technique"
    of = f"of both {' and '.join(meant)}" if meant else f"expected one of {', '.join(TECHNIQUES)}"
    raise LookupError(f"{rule}: found {told}, {of}; add {line} to the rule, or {WORD}AN1793 to the detector's argument")
