"""One file a revision, in order; never edited after its release."""
