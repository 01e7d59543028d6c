"""The questions of the API: one function each, whose statements stand in `sql/`."""
