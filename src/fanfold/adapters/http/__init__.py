"""Collectors over HTTP."""
