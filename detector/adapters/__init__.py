"""The bundled detectors: one file is one detector, found by its name."""
