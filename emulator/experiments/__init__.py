"""What the API and the jobs can do with experiments: one file a concern, over the rules of `contract.experiments`.

Talks to `ports.py`; `storage.experiments` provides what it says.
"""
