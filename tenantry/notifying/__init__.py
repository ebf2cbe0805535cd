"""Telling people and programs what became of an app."""
