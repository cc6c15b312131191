"""GoogleSQL to DuckDB: parse, check, rewrite. What is not known to be right is refused by name."""
