"""What editors do with a finished clip: check it, publish it, withdraw it."""
