"""Scenario files and what they may hold: tables, settings, kinds, the library of background apps."""
