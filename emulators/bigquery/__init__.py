"""BigQuery for one machine: the REST API and the Storage Write API on DuckDB and SQLGlot. See README.md."""
