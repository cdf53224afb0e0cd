"""The process engine: a program of this machine in the place of an image, in namespaces of its own."""
