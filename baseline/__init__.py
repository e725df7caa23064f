"""Stage 2: feature caches in; predictions, submissions and a report out."""
