"""The Neon API, version 2, as one ASGI application."""
