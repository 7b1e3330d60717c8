"""Detection: telemetry to findings. Nothing here may import lab."""
