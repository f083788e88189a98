"""The version of the distribution; the build back end reads it here, and nothing else repeats it."""

__version__ = "0.1.0"
