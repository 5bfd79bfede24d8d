"""The generators themselves, one module each. They do not know one another; `backend.py` finds them by name."""
