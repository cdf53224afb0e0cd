"""The dashboard at /_emulator/ui/: pages over what the emulator knows. It has no rules of its own.

One file a subject, each a Flask blueprint with its templates in a folder of the same name. Pages are whole without
JavaScript; htmx brings parts of them up to date, ECharts draws.
"""
