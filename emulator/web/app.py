"""The dashboard's pages, put together."""

from __future__ import annotations

from typing import Final

from flask import Flask, g, redirect, render_template, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ..errors import ResourceNotFoundError, ServiceError, UnknownJobError
from ..runtime import Emulator
from . import (  # noqa: F401 - some add pages to the blueprint of another
    experiments,
    guard,
    job,
    job_actions,
    jobs,
    log_around,
    log_download,
    log_viewer,
    logs,
    runs,
    s3,
    s3_object,
    scopes,
    series,
    texts,
)
from .scopes import PREFIX

BLUEPRINTS: Final = (
    jobs.pages,
    job.pages,
    job_actions.pages,
    experiments.pages,
    series.pages,
    s3.pages,
    logs.pages,
)


def create_app(emulator: Emulator) -> Flask:
    """Return the pages of an emulator."""
    app = Flask(__name__, static_url_path=f"{PREFIX}/static")
    app.extensions[scopes.EMULATOR] = emulator
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    texts.register(app)
    guard.register(app)
    scopes.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint, url_prefix=f"{PREFIX}/<account>/<region>")
    app.add_url_rule(f"{PREFIX}/", "home", home)
    app.context_processor(scopes.for_templates)
    app.register_error_handler(ServiceError, _service_error)
    app.register_error_handler(HTTPException, _http_error)
    return app


def home() -> Response:
    """Lead to the jobs of the account and region in which something happened last."""
    newest = scopes.known_scopes()[0]
    return redirect(url_for("jobs.index", account=newest.account, region=newest.region))


def _service_error(error: ServiceError) -> tuple[str, int]:
    is_absence = isinstance(error, ResourceNotFoundError | UnknownJobError)
    return _error_page(error.code, error.message, 404 if is_absence else max(400, error.status))


def _http_error(error: HTTPException) -> tuple[str, int] | HTTPException:
    if error.code is None or error.code < 400:
        return error
    return _error_page(error.name, error.description or "", error.code)


def _error_page(title: str, message: str, status: int) -> tuple[str, int]:
    """Return what went wrong as a page, from which one gets back to the jobs of the same account and region."""
    back = url_for("home")
    if "scope" in g:
        back = url_for("jobs.index", account=g.scope.account, region=g.scope.region)
    return render_template("error.html", title=title, message=message, back=back), status
