"""Job files: a service's own request in YAML, the data it needs, and what must hold afterwards.

Knows files and plans; the endpoint is reached only through the clients it is given. Prints nothing.
"""
