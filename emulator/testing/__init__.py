"""What the pytest plugin is made of: endpoints for tests, jobs and their results, job files as tests.

A client of the API, as `jobfiles` is. Nothing here is imported before a test needs it, but for `settings`.
"""
