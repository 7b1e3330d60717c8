"""The fence: foreign programs run with telemetry handed over, limits that hold, and findings that are checked."""

from detector.fenced.handed import hand_over as hand_over  # noqa: PLC0414 - the fence's words, each in a file of its own
from detector.fenced.handed import handed as handed  # noqa: PLC0414 - as above
from detector.fenced.outcome import Ended as Ended  # noqa: PLC0414 - as above
from detector.fenced.outcome import Failed as Failed  # noqa: PLC0414 - as above
from detector.fenced.outcome import Limits as Limits  # noqa: PLC0414 - as above
from detector.fenced.running import left_open as left_open  # noqa: PLC0414 - as above
from detector.fenced.running import run as run  # noqa: PLC0414 - as above
from detector.fenced.taking import taken as taken  # noqa: PLC0414 - as above
