"""How far each count of a rule came: the same rules without their thresholds, and their matches counted here.

A threshold says yes or no. What a tuner and a precision curve need is how many matches there were, so the engine runs
once more and the windows are counted as Suricata 7 counts them (detect-engine-threshold.c, from memory, and tried): a
window begins with a match, ends ``seconds`` later, and the next match begins another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from detector.suricata.rules import Rule, parsed

TRACKS = ("by_src", "by_dst", "by_both", "by_rule", "by_flow")
_LIMITING = ("threshold", "detection_filter")


@dataclass(frozen=True)
class Window:
    """The threshold of a rule: what is counted together, for how long, and how many make an alert."""

    track: str
    seconds: int
    count: int
    beyond: bool  # detection_filter alerts after that many, a threshold at that many

    def keyed(self, source: str, target: str, flow: object) -> object:
        """What a match between these ends is counted with."""
        keys: dict[str, object] = {"by_src": source, "by_dst": target, "by_both": tuple(sorted((source, target)))}
        return {**keys, "by_flow": flow}.get(self.track)


def window(rule: Rule) -> Window | None:
    """The threshold of a rule that counts; None of one that does not, or that Suricata itself will refuse."""
    count = rule.count
    for name, value in rule.options:
        if count is None or name not in _LIMITING:
            continue
        words = dict(part.strip().partition(" ")[::2] for part in value.split(","))
        seconds, track = words.get("seconds", "").strip(), words.get("track", "").strip()
        if seconds.isdecimal() and track in TRACKS:
            return Window(track, int(seconds), count, beyond=name == "detection_filter")
    return None


def uncounted(rules: Sequence[Rule]) -> list[Rule]:
    """The rules with their thresholds left out; what they set and ask of each other stays."""
    return [_without(rule) if window(rule) else rule for rule in rules]


def _without(rule: Rule) -> Rule:
    kept = tuple((name, value) for name, value in rule.options if name not in _LIMITING)
    said = " ".join(f"{name}:{value};" if value else f"{name};" for name, value in kept)
    return replace(parsed(rule.path, rule.line, f"{rule.text[: rule.text.index('(') + 1]}{said})"))


def reached(window: Window, matches: Iterable[tuple[int, object]]) -> Iterator[int]:
    """How far the count had come with each match, (time in microseconds, key) in their order: the highest count that
    would have made an alert of it.

    >>> two = Window("by_src", 60, 3, beyond=False)
    >>> list(reached(two, [(0, "a"), (1_000_000, "b"), (2_000_000, "a"), (61_000_000, "a"), (62_000_000, "a")]))
    [1, 1, 2, 1, 2]
    """
    began: dict[object, tuple[int, int]] = {}
    for time, key in matches:
        start, count = began.get(key, (time, 0))
        if time > start + window.seconds * 1_000_000:
            start, count = time, 0
        began[key] = (start, count + 1)
        yield count + 1 - window.beyond
