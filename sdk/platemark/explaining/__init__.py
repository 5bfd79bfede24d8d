"""What every code that platemark prints means, and what to do next, in English and Korean."""
