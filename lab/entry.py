"""The door of ``droidrange``: it loads the command line, and answers whoever stops it before that can answer.

Never to be added: an import of ours at the top; what is loaded before the guard ends in a traceback when interrupted.
"""

from __future__ import annotations

import sys

STOPPED = "interrupted before anything was begun"
INTERRUPTED = 130  # lab.console has it, too, and is not loaded yet


def main() -> None:
    """The entry point of the ``droidrange`` command; exit code 130 and a line for a Ctrl-C while it loads."""
    try:
        from lab.cli import main as command
    except KeyboardInterrupt:
        sys.stderr.write(f"{STOPPED}\n")
        sys.exit(INTERRUPTED)
    command()
