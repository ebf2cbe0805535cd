"""Starts pulumi, and asks it."""
