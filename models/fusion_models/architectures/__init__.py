"""Published architectures as functions that return diagrams; the modules around them are thin."""
