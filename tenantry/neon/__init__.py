"""The Neon API, as far as a look at what is there needs it."""
