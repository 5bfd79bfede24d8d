"""Decide what may be generated and published: rules as data, decisions as pure functions, every doubt to an editor."""
