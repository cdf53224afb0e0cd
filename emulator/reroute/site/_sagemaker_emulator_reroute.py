"""Sends what a program asks of AWS to the local endpoint instead.

Runs inside the user's own interpreter (Python 3.8 or later) and in every program that it starts, so it
uses the standard library only, loads nothing before the program does, and leaves every other request
alone. A module is changed just after the program has imported it: HTTP clients send requests for AWS to
the endpoint with the path, the query and the Host header of before (a bucket may be named by the host
only), and the socket module refuses to find or to reach AWS. What the first do not know, the last stops.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # importing typing would cost more than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Patch = Callable[[ModuleType], None]

# Every name under which a partition of AWS answers (botocore's partitions.json), and of single services.
AWS_DOMAINS = (
    "amazonaws.com",
    "api.aws",
    "on.aws",
    "sagemaker.aws",
    "amazonaws.com.cn",
    "amazonwebservices.com.cn",
    "amazonaws.eu",
    "amazonwebservices.eu",
    "c2s.ic.gov",
    "aws.ic.gov",
    "sc2s.sgov.gov",
    "aws.scloud",
    "cloud.adc-e.uk",
    "cloud-aws.adc-e.uk",
    "hci.ic.gov",
)
_ENDINGS = tuple("." + domain for domain in AWS_DOMAINS)
_EXEC = "sagemaker-emulator exec"
_NOWHERE = "http://127.0.0.1:9"  # where nobody answers
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_ADAPTER_OPTIONS = ("stream", "timeout", "verify", "cert", "proxies")


def is_aws_host(host: object) -> bool:
    """Say whether a host name belongs to AWS; anything that is no name does not."""
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    if not isinstance(host, str):
        return False
    name = host.rstrip(".").lower()
    return name.endswith(_ENDINGS) or name in AWS_DOMAINS


def aws_target(url: object) -> tuple[str, str] | None:
    """Return the Host header and the path with its query of a URL of AWS, and None for all else."""
    if not isinstance(url, str):
        return None
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in _DEFAULT_PORTS:
        return None
    end = min(index for index in (rest.find("/"), rest.find("?"), rest.find("#"), len(rest)) if index >= 0)
    authority, target = rest[:end].rpartition("@")[2], rest[end:]
    host, _, port = authority.partition(":")
    if not is_aws_host(host):
        return None
    header = host if port == _DEFAULT_PORTS[scheme.lower()] else authority
    return header, target if target.startswith("/") else "/" + target


def address_of(endpoint: str) -> tuple[str, int]:
    """Return host and port of the endpoint, which speaks plain HTTP."""
    scheme, _, authority = endpoint.rstrip("/").partition("://")
    host, _, port = authority.rpartition(":")
    if scheme != "http" or not host or not port.isdigit():
        raise ValueError("SAGEMAKER_EMULATOR_ENDPOINT is not http://HOST:PORT: " + repr(endpoint))
    return host.strip("[]"), int(port)


def warn(text: str, speaker: str = _EXEC) -> None:
    """Write one line to the user, where there is somewhere to write."""
    if sys.stderr is not None:
        sys.stderr.write(speaker + ": " + text + "\n")


def reroute_to(endpoint: str, speaker: str = _EXEC) -> Reroute:
    """Install the changes for this endpoint; where it makes no sense, requests for AWS fail."""
    try:
        rerouting = Reroute(endpoint, speaker)
    except ValueError as error:
        warn(str(error) + "; what is meant for AWS will find nobody", speaker)
        rerouting = Reroute(_NOWHERE, speaker)
    rerouting.install()
    return rerouting


def refuse_aws(speaker: str = _EXEC) -> Reroute:
    """Send nothing anywhere, and refuse what would reach AWS."""
    refusing = Reroute(_NOWHERE, speaker, only_refuse=True)
    refusing.install()
    return refusing


class Reroute:
    """All changes that one endpoint needs, and the way back."""

    def __init__(self, endpoint: str, speaker: str = _EXEC, *, only_refuse: bool = False) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._address = address_of(endpoint)
        self._speaker = speaker
        self._replaced: list[tuple[Any, str, Any]] = []
        refusing: dict[str, Patch] = {
            "socket": self._guard_socket,
            "http.client": self._guard_proxies,
            "botocore.httpsession": self._refuse_botocore,
        }
        rerouting: dict[str, Patch] = {
            "http.client": self._reroute_http_client,
            "botocore.httpsession": self._reroute_botocore,
            "awscli.botocore.httpsession": self._reroute_botocore,
            "aiobotocore.httpsession": self._reroute_aiobotocore,
            "aiobotocore.httpxsession": self._reroute_aiobotocore,
            "requests.adapters": self._reroute_requests,
        }
        self._advice = (
            "nothing of this test is sent to an emulator: use a fixture such as sagemaker_emulator"
            if only_refuse
            else "only botocore, aiobotocore, requests, urllib.request and http.client are sent to the local endpoint"
        )
        self._finder = _Finder(refusing if only_refuse else {**refusing, **rerouting}, speaker)

    def install(self) -> None:
        """Change the modules that are there, and each other one when it comes."""
        self._finder.install()

    def _refusal(self, host: object) -> OSError:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        return OSError(
            self._speaker + ": refused: a connection to " + name + " would have reached AWS (" + self._advice + ")"
        )

    def uninstall(self) -> None:
        """Put everything back that was changed."""
        self._finder.uninstall()
        while self._replaced:
            owner, name, original = self._replaced.pop()
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

    def _replace(self, owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
        """Put `wrapper(original)` in the place of an attribute; a class gets its own, not its base's."""
        original = getattr(owner, name)
        replacement = wrapper(original)
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(replacement, attribute, getattr(original, attribute, None))
        replacement.__wrapped__ = original
        self._replaced.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, replacement)

    def _rerouted(self, request: Any) -> Any:
        """Return a copy of a request for AWS that goes to the endpoint, and None for any other request."""
        found = aws_target(request.url)
        if found is None:
            return None
        host, target = found
        copied = request.__class__.__new__(request.__class__)
        copied.__dict__.update(request.__dict__)
        copied.url = self._endpoint + target
        copied.headers = request.headers.copy()
        if "Host" not in copied.headers:
            copied.headers["Host"] = host
        return copied

    def _reroute_botocore(self, module: ModuleType) -> None:
        def sending(original: Any) -> Any:
            def send(session: Any, request: Any) -> Any:
                rerouted = self._rerouted(request)
                if rerouted is None:
                    return original(session, request)
                response = original(session, rerouted)
                response.url = request.url
                return response

            return send

        # A proxy given in the program's own configuration must not get what is meant for this machine.
        def choosing(original: Any) -> Any:
            def proxy_url_for(configuration: Any, url: str) -> Any:
                if url.startswith(self._endpoint + "/") or aws_target(url) is not None:
                    return None
                return original(configuration, url)

            return proxy_url_for

        self._replace(module.URLLib3Session, "send", sending)
        self._replace(module.ProxyConfiguration, "proxy_url_for", choosing)

    def _refuse_botocore(self, module: ModuleType) -> None:
        """Refuse at once: what the socket says botocore would try again, and tell of in other words."""

        def sending(original: Any) -> Any:
            def send(session: Any, request: Any) -> Any:
                found = aws_target(request.url)
                if found is not None:
                    raise self._refusal(found[0])
                return original(session, request)

            return send

        self._replace(module.URLLib3Session, "send", sending)

    def _reroute_aiobotocore(self, module: ModuleType) -> None:
        def sending(original: Any) -> Any:
            async def send(session: Any, request: Any) -> Any:
                rerouted = self._rerouted(request)
                if rerouted is None:
                    return await original(session, request)
                response = await original(session, rerouted)
                response.url = request.url
                return response

            return send

        for name in ("AIOHTTPSession", "HttpxSession"):
            if name in vars(module) and module.__name__ == getattr(vars(module)[name], "__module__", None):
                self._replace(vars(module)[name], "send", sending)

    def _reroute_requests(self, module: ModuleType) -> None:
        def sending(original: Any) -> Any:
            def send(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
                rerouted = self._rerouted(request)
                if rerouted is None:
                    return original(adapter, request, *args, **kwargs)
                options = dict(zip(_ADAPTER_OPTIONS, args), **kwargs)  # noqa: B905 - strict= came with 3.10
                options.update(verify=False, cert=None, proxies={})
                response = original(adapter, rerouted, **options)
                response.request, response.url = request, request.url
                return response

            return send

        self._replace(module.HTTPAdapter, "send", sending)

    def _reroute_http_client(self, module: ModuleType) -> None:
        def connecting(original: Any) -> Any:
            def connect(connection: Any) -> None:
                if is_aws_host(connection.host):
                    connection.sock = connection._create_connection(
                        self._address, connection.timeout, connection.source_address
                    )
                else:
                    original(connection)

            return connect

        self._replace(module.HTTPConnection, "connect", connecting)
        if hasattr(module, "HTTPSConnection"):  # an interpreter may lack ssl
            self._replace(module.HTTPSConnection, "connect", connecting)
        self._guard_proxies(module)

    def _guard_proxies(self, module: ModuleType) -> None:
        """Refuse to ask a proxy for AWS: it would resolve the name itself, out of our sight."""

        def tunnelling(original: Any) -> Any:
            def set_tunnel(connection: Any, host: Any, *args: Any, **kwargs: Any) -> Any:
                if is_aws_host(host):
                    raise self._refusal(host)
                return original(connection, host, *args, **kwargs)

            return set_tunnel

        def putting(original: Any) -> Any:
            def putrequest(connection: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
                found = aws_target(url)
                if found is not None and not is_aws_host(connection.host):
                    raise self._refusal(found[0])
                return original(connection, method, url, *args, **kwargs)

            return putrequest

        self._replace(module.HTTPConnection, "set_tunnel", tunnelling)
        self._replace(module.HTTPConnection, "putrequest", putting)

    def _guard_socket(self, module: ModuleType) -> None:
        def resolving(original: Any) -> Any:
            def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
                if is_aws_host(host):
                    raise self._refusal(host)
                return original(host, *args, **kwargs)

            return resolve

        def connecting(original: Any) -> Any:
            def connect(sock: Any, address: Any) -> Any:
                if isinstance(address, tuple) and address and is_aws_host(address[0]):
                    raise self._refusal(address[0])
                return original(sock, address)

            return connect

        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            if hasattr(module, name):
                self._replace(module, name, resolving)
        for name in ("connect", "connect_ex"):
            self._replace(module.socket, name, connecting)


class _Finder:
    """Finds modules as the other finders do, and has some of them changed after they were run."""

    def __init__(self, patches: Mapping[str, Patch], speaker: str) -> None:
        self._patches = patches
        self._speaker = speaker

    def install(self) -> None:
        sys.meta_path.insert(0, self)
        for name in self._patches:
            if name in sys.modules:
                self._apply(name, sys.modules[name])

    def uninstall(self) -> None:
        sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Iterable[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._patches:
            return None
        for finder in list(sys.meta_path):
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)  # type: ignore[arg-type] # passed on as it came
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self._apply)  # type: ignore[assignment] # stands in
                return spec
        return None

    def _apply(self, name: str, module: ModuleType) -> None:
        try:
            self._patches[name](module)
        except Exception as error:  # noqa: BLE001 - another version of a library must not stop the program
            problem = " is not sent to the local endpoint (" + repr(error) + "); it cannot reach AWS either"
            warn(name + problem, self._speaker)


class _Loader:
    """Runs a module with its own loader, which it gives back to it, and then has the module changed."""

    def __init__(self, loader: Any, apply: Callable[[str, ModuleType], None]) -> None:
        self._loader = loader
        self._apply = apply

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: Any) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._apply(module.__name__, module)
