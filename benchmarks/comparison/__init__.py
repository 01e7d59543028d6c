"""The comparison benchmark: makes the data, starts the systems, checks their answers, times them, reports."""
