"""A run that changes something: how it is started, and what a person or a program reads while it goes on."""
