"""Anchors: copies of signed tree heads where the owner of the log cannot change them, and time-stamps of them."""
