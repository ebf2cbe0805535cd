"""A worker: it takes operations from the queue and runs the fleet's functions for them, under a lease."""
