"""What newsroom systems are told about a clip, in the formats that they read."""
