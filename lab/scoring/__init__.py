"""The measures of a scorecard: matching, outcomes, intervals, rankings, separability."""
