"""What behaviours are made of: clocks, gates, pace, long connections, pages, drafts of batches."""
