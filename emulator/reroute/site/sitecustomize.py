"""Python runs this at the start of every program under `sagemaker-emulator exec`: it reroutes AWS.

A program must start even where this fails, and must not reach AWS then. Another sitecustomize further
along the path, which this one hides, runs too.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to import


def _refuse_aws() -> None:
    """Stop every look-up of a name of AWS and every connection to one, knowing nothing else."""
    import socket

    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def refuse(host: object) -> None:
        if "aws" in str(host).lower():
            raise OSError("sagemaker-emulator exec: a connection to %s would have reached AWS" % (host,))

    def guarded_resolve(host, *args, **kwargs):  # type: ignore[no-untyped-def] # takes what comes
        refuse(host)
        return resolve(host, *args, **kwargs)

    def guarded_connect(sock, address):  # type: ignore[no-untyped-def] # takes what comes
        refuse(address)
        return connect(sock, address)

    socket.getaddrinfo = guarded_resolve
    socket.socket.connect = guarded_connect  # type: ignore[method-assign] # that is the point


def _reroute() -> None:
    try:
        import _sagemaker_emulator_reroute  # type: ignore[import-not-found]

        _sagemaker_emulator_reroute.reroute_to(os.environ.get("SAGEMAKER_EMULATOR_ENDPOINT", ""))
    except Exception as error:  # noqa: BLE001 - the program must start
        if sys.stderr is not None:
            text = "sagemaker-emulator exec: nothing is sent to the local endpoint, AWS is refused: %r\n"
            sys.stderr.write(text % error)
        _refuse_aws()


def _run_next() -> None:
    """Run the sitecustomize that this one hides; its errors are Python's to report, as they always were.

    The same stands in emulator/debugger/site: either file may be alone in an interpreter that has nothing else of ours.
    """
    this = sys.modules.pop(__name__)
    places = [
        (index, entry)
        for index, entry in enumerate(sys.path)
        if os.path.abspath(entry) == _HERE  # noqa: PTH100 - see above
    ]
    for _, entry in places:
        sys.path.remove(entry)
    try:
        import sitecustomize  # type: ignore[import-not-found] # noqa: F401 - run for what it does
    except ImportError as error:
        if error.name != __name__:
            raise
        sys.modules[__name__] = this
    finally:
        for index, entry in places:
            sys.path.insert(index, entry)


_reroute()
_run_next()
