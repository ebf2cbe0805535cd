"""A run that changes something: the engine's process, what it is at, and what a person or a program reads of it."""
