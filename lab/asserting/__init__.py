"""What a test asserts on: recordings and scorecards kept for a session, quantities that explain themselves, items."""
