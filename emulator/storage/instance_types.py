"""The EC2 table of instance types, which moto ships."""

from __future__ import annotations

from ..contract.plan import InstanceResources
from ..jobs.ports import InstanceCatalog


class Ec2InstanceCatalog:
    """Looks `ml.` instance types up as the EC2 types they are made of."""

    def resources(self, instance_type: str) -> InstanceResources | None:
        """Return what an instance type has; None if EC2 has no type of this name."""
        # A table of several MB, read on first use.
        from moto.ec2.models.instance_types import INSTANCE_TYPES

        found = INSTANCE_TYPES.get(instance_type.removeprefix("ml."))
        if found is None:
            return None
        return InstanceResources(
            vcpus=found["VCpuInfo"]["DefaultVCpus"],
            memory_bytes=found["MemoryInfo"]["SizeInMiB"] * 1024**2,
        )


_: type[InstanceCatalog] = Ec2InstanceCatalog
