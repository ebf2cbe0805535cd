"""Metrics of the service and its workers: what there is, what the catalog says, what a process counts."""
