"""What happens to a job, told in order: created, staged, run, watched, collected, settled.

Speaks to engines and storage only through `ports`.
"""
