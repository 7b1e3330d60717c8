"""Sigma rules over the telemetry tables: read by pySigma, made SQL, run in the locked process of detector/sql."""
