"""Lets unmodified client programs talk to the local endpoint instead of AWS."""
