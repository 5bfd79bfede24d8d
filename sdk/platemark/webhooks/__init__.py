"""Telling other newsroom systems what happened: signed messages about events of the log, to allowed hosts only."""
