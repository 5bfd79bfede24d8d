"""From a request to a finished clip: what is asked, what is made of it, and how it reaches its final path."""
