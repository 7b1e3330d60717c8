"""What a person reads of a scorecard: a page, a table. Numbers are only put into words here, never made."""
