"""Witnesses: others who remember how far a log was, and sign only what continues it."""
