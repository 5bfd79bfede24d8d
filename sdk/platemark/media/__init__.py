"""Pictures and clips in and out: video, stills, the visible label, cuts, contact sheets.

One rule: this package imports none of its modules, so that importing `platemark` loads no video library.
"""
