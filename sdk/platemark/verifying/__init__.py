"""What a file is: its manifest, its mark, its content, and how the answer is written down."""
