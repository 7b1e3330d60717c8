"""Runs: trials in worker processes, detectors' looks, and the run on disk."""
