"""The states that the engine keeps: read, written, and what is in them."""
