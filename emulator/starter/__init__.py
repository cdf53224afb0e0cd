"""A first job file: what `init` finds in a folder, a Dockerfile or an image, and the text it makes of that."""
