"""The version, read by the build and by the manifest builders."""

__version__ = "0.1.0"
