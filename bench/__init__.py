"""`make bench`: what Fulcrum costs, as ratios to plain functions-framework measured in the same run."""
