"""The linter on the images of the jobs that run, each image once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..errors import EngineUnavailableError, UsageError
from ..jobfiles.document import ImageBuild, JobFile
from ..jobfiles.images import image_tag
from ..lint.lint import Options, lint
from ..lint.target import BuildOptions, target_of
from .summary import LintLine


def lint_images(job_files: Sequence[JobFile], tell: Callable[[str], None], *, static: bool) -> Iterator[LintLine]:
    """Yield what is found in the images of job files; `static` reads Dockerfiles only.

    Raises:
        EngineUnavailableError: an image is to be looked into, and no engine answers.
    """
    seen: set[str] = set()
    for one in job_files:
        image = one.image
        name = image_tag(image) if isinstance(image, ImageBuild) else getattr(image, "name", "")
        if not name or name in seen or (static and not isinstance(image, ImageBuild)):
            continue
        seen.add(name)
        tell(f"lint {name}")
        options = Options(kind=None, ignore=frozenset(), static=static, run=True)
        try:
            report = lint(target_of(str(one.path), BuildOptions()), options, tell)
        except EngineUnavailableError:
            raise
        except UsageError as error:
            yield LintLine(image=name, severity="error", rule="", message=str(error))
            continue
        for finding in report.findings:
            yield LintLine(
                image=name, severity=str(finding.rule.severity), rule=finding.rule.id, message=finding.message
            )
