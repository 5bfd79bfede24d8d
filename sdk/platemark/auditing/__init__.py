"""What leaves the log for people: evidence, monthly reports, and whole files of either."""
