"""What is special to each track, one per file."""
