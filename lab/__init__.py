"""droidrange: scenario and stage to recording, findings and truth to scorecard."""
