"""The world the model learns from: procedural clips with captions in English and Korean from one set of attributes."""
