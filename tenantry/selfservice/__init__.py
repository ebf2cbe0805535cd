"""What was asked for, as rows of the catalog: apps, operations, sign-ups, and the queue that works them off."""
