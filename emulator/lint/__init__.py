"""Checks an image against what the service promises and expects, without running a job.

`facts.py` is what is known of an image, `rules.py` the rules over it, both pure. `dockerfile.py` and
`stages.py` read a Dockerfile, `image_facts.py` an image in the engine, `probes.py` starts it for a moment.
"""
