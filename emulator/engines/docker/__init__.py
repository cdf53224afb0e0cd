"""The docker engine: the image itself, in containers of a Docker Engine."""
