"""What the pytest11 entry point loads, under a name that no other project uses.

Where a project's own `emulator` comes first on sys.path, loading ours would stop every pytest run in that
environment; this stands aside instead. It is shipped as `pytest_sagemaker_emulator.py`, beside the package.
"""

from importlib.util import find_spec

try:
    _found = find_spec("emulator.pytest_plugin") is not None
except ModuleNotFoundError:
    _found = False
if _found:
    pytest_plugins = ["emulator.pytest_plugin"]
else:

    def pytest_report_header() -> str:
        """Say why there are no fixtures."""
        spec = find_spec("emulator")
        origin = spec and (spec.origin or ", ".join(spec.submodule_search_locations or ()))
        return f"sagemaker-emulator: fixtures are off, 'emulator' here is {origin or 'another package'}"
