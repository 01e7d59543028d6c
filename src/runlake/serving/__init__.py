"""The derived room: a DuckDB database that follows the lake and answers the questions."""
