"""What runs between the emulator and a job's programs, in a small Python of its own: the standard library only.

It is started with `boot_command`, without site-packages, and imports nothing of the emulator.
"""
