"""Other systems behind the same HTTP handler: one module each, with its SQL in `sql/`."""
