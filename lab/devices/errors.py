"""What a device or the adb server did not do, and what to try next."""

from __future__ import annotations

from lab.errors import StageError


class DeviceError(StageError):
    """A device failed a command: which device, which command, what was found instead, what to run next."""

    def __init__(self, serial: str, command: str, found: str, remedy: str) -> None:
        shown = command if len(command) <= 200 else f"{command[:197]}..."
        super().__init__(f"device {serial}: {shown!r}: {found}; next: {remedy}")
        self.serial, self.command, self.found, self.remedy = serial, command, found, remedy

    def __reduce__(self) -> tuple[type[DeviceError], tuple[str, str, str, str]]:
        """How a worker process hands it to its parent: by its parts, not by its text."""
        return type(self), (self.serial, self.command, self.found, self.remedy)
