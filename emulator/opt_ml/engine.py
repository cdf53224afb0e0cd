"""An engine whose containers are calls in this process, one host after another."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePosixPath
from typing import Final

from ..contract import paths
from ..contract.job import Host, Job
from ..contract.outcome import HostExit, ImageMissingError, InternalServerError
from ..contract.plan import ClusterPlan, ContainerPlan, GivenContainer
from ..contract.toolkit_environment import CODE, Machine, toolkit_environment
from ..contract.training_job import TrainingJob
from ..errors import EmulatorError
from ..jobs.ports import Capabilities, Cluster, Engine, ImageView, LogSink, TreeMember
from .disks import DirectoryDisk, Disk, FakeDisk
from .process import Start, standing_in
from .programs import Program

_TERMINATED: Final = 128 + 15


class InProcessEngine:
    """Runs one program for one job, on all of its hosts or on one: the others then end well and leave nothing."""

    name = "opt_ml"
    capabilities = Capabilities(
        images=False,
        image_user=False,
        file_system=False,
        network_isolation=False,
        own_network=False,
        several_hosts=False,
        several_hosts_internet=False,
        metadata_address=False,
        process_tree=False,
        instance_limits=False,
        out_of_memory=False,
        outlives_emulator=False,
        other_machine=False,
    )
    gateway = None
    programs = None
    host_alias = None

    def __init__(self, job: Job, program: Program, *, only_host: str | None, toolkit: bool, on_disk: bool) -> None:
        self._job = job
        self._program = program
        self._only_host = only_host
        self._toolkit = toolkit
        self._on_disk = on_disk
        self.exits: list[HostExit] = []
        self.exception: BaseException | None = None
        """What the program raised on the first host on which it did."""

    def require_image(self, image: str) -> str:
        """Return the image: none is needed."""
        return image

    def image_view(self, image: str) -> ImageView:
        """Refuse: there are no images."""
        raise ImageMissingError(image, "The rung opt_ml has no images.")

    @contextmanager
    def cluster(self, plan: ClusterPlan) -> Iterator[Cluster]:
        """Make the hosts of a plan."""
        yield _InProcessCluster(plan, self)

    def resume(self, _: ClusterPlan) -> AbstractContextManager[Cluster]:
        """Find nothing: what ran here went with its process."""
        raise InternalServerError("a job of the test's process ends with it")

    def enter(self, unique_name: str, host: str, command: Sequence[str], *, terminal: bool) -> list[str]:  # noqa: ARG002
        """Refuse: a program that runs here has the test's process for itself."""
        raise EmulatorError(
            "A job on the rung opt_ml runs in the test's process: no shell can join it. Use breakpoint()."
        )

    def close(self, *, keep: Collection[str] = ()) -> None:
        """Nothing runs on."""

    def run(self, container: ContainerPlan, on_log: LogSink) -> Disk | None:
        """Run the program on a host and return its disk; None: it is not to run there."""
        if self._only_host not in (None, container.host):
            self.exits.append(HostExit(host=container.host, exit_code=0))
            return None
        disk = (DirectoryDisk if self._on_disk else FakeDisk)(container.mounts, self._program.code)
        start, directory = self.start_of(container, disk.opt_ml)

        def on_output(stream: str, chunk: bytes) -> None:
            on_log(container.host, stream, chunk)

        with standing_in(start, on_output), disk.running(directory):
            end = self._program.run(disk, start.arguments[1:])
        self.exits.append(HostExit(host=container.host, exit_code=end.exit_code))
        self.exception = self.exception or end.exception
        return disk

    def terminate(self, hosts: Sequence[str]) -> None:
        """End the hosts that have not run."""
        ended = {one.host for one in self.exits}
        self.exits += [HostExit(host=host, exit_code=_TERMINATED) for host in hosts if host not in ended]

    def start_of(self, container: ContainerPlan, opt_ml: PurePosixPath = paths.OPT_ML) -> tuple[Start, PurePosixPath]:
        """Return how the program is started on a host, and in which directory."""
        environment = {"HOSTNAME": container.hostname, **container.environment}
        if not (self._toolkit and isinstance(self._job, TrainingJob)):
            # What is called stands for the entrypoint, and for the argument `train`.
            arguments = () if container.command == self._job.kind.default_command else container.command
            directory = paths.OPT_ML / "code" if self._program.code else PurePosixPath("/")
            return Start(arguments=(self._program.name, *arguments), environment=environment), directory
        found = toolkit_environment(
            self._job, self._host(container.host), environment, Machine(cpus=os.cpu_count() or 1), opt_ml=opt_ml
        )
        if opt_ml != paths.OPT_ML:
            environment["SAGEMAKER_BASE_DIR"] = str(opt_ml)
        start = Start(arguments=(self._program.name, *found.arguments), environment={**environment, **found.variables})
        return start, CODE

    def _host(self, name: str) -> Host:
        return next(host for host in self._job.hosts if host.name == name)


class _InProcessCluster:
    """The hosts of one job."""

    def __init__(self, plan: ClusterPlan, engine: InProcessEngine) -> None:
        self._plan = plan
        self._engine = engine
        self._disks: dict[str, Disk] = {}

    def start(self, on_log: LogSink, on_exit: Callable[[], None]) -> None:
        """Run the program to its end on each host; those behind one that fails do not run."""
        for container in self._plan.containers:
            disk = self._engine.run(container, on_log)
            if disk is not None:
                self._disks[container.host] = disk
            on_exit()
            if self._engine.exits[-1].exit_code:
                return

    def given(self) -> Mapping[str, GivenContainer]:
        """Return what the program finds on each host; with a real directory in the place of /opt/ml other paths."""
        found = {one.host: (one, *self._engine.start_of(one)) for one in self._plan.containers}
        return {
            host: GivenContainer(
                command=tuple(start.arguments),
                environment={"PATH": os.environ.get("PATH", os.defpath), **start.environment},
                user="root",
                working_directory=str(directory),
                hostname=container.hostname,
            )
            for host, (container, start, directory) in found.items()
        }

    def exits(self) -> Sequence[HostExit]:
        """Return how the hosts ended."""
        return tuple(self._engine.exits)

    def terminate(self) -> None:
        """End the hosts that have not run."""
        self._engine.terminate([one.host for one in self._plan.containers])

    def kill(self) -> None:
        """Nothing runs."""

    def tree(self, host: str, path: PurePosixPath) -> Iterator[TreeMember]:
        """Yield what is below a directory of a host."""
        return self._disks[host].tree(path) if host in self._disks else iter(())

    @contextmanager
    def file(self, host: str, path: PurePosixPath) -> Iterator[TreeMember | None]:
        """Open one file of a host."""
        if host not in self._disks:
            yield None
            return
        with self._disks[host].file(path) as found:
            yield found


_engine: type[Engine] = InProcessEngine
_cluster: type[Cluster] = _InProcessCluster
