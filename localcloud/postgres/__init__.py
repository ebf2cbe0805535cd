"""PostgreSQL servers: where their programs are, their data directories, their processes, and the TLS front."""
