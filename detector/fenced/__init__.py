"""The fence: foreign programs run with telemetry handed over, limits that hold, and findings that are checked."""

from detector.fenced.handed import hand_over as hand_over
from detector.fenced.handed import handed as handed
from detector.fenced.outcome import Ended as Ended
from detector.fenced.outcome import Failed as Failed
from detector.fenced.outcome import Limits as Limits
from detector.fenced.running import left_open as left_open
from detector.fenced.running import run as run
from detector.fenced.taking import taken as taken
