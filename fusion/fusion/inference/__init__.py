"""The space of every node from the spaces of its inputs, and what is wrong with them.

Each function returns the space a node has (a best guess when a law is broken, so that later nodes can still be
checked) together with the violations found. They work on spaces alone and know nothing of nodes.
"""
