"""One connection to a project's database; errors of the database become one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from .project import load_project

if TYPE_CHECKING:
    from jobflow_remote.config.base import Project
    from jobflow_remote.jobs.jobcontroller import JobController

STUDIES = "magnetoionics_studies"
# Seconds to wait for a database that does not answer, instead of pymongo's thirty for every call.
DATABASE_WAIT_MS = 5000


class DatabaseDownError(UserError):
    """The project's database does not answer."""


@contextmanager
def job_controller(project_name: str) -> Iterator[JobController]:
    """Controller of a project, closed afterwards; a new database is initialised.

    Raises
    ------
    UserError
        If the project or its database cannot be used.
    """
    project = load_project(project_name)
    address = ping_database(project.queue.store)
    from pymongo.errors import PyMongoError

    try:
        controller = project.get_job_controller()
        try:
            initialise(controller)
            yield controller
        finally:
            controller.close()
    except PyMongoError as error:
        raise DatabaseDownError(
            f"the database at {address} failed ({type(error).__name__}); nothing is lost"
        ) from error


def project_of(controller: JobController) -> Project:
    """Configuration of the project that a controller serves."""
    project = controller.project
    assert project is not None, "a controller is made for a project"
    return project


def ping_database(store: dict[str, Any]) -> str:
    """Ask the database whether it is there; returns its address without the password.

    Raises
    ------
    DatabaseDownError
        If it is not.
    """
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    address = _address(store)
    if store.get("ssh_tunnel"):
        return address  # maggma opens the tunnel: what fails is said by the first call
    try:
        with MongoClient(**_client_options(store)) as client:
            client.admin.command("ping")
            client[str(store.get("database"))].list_collection_names()
    except PyMongoError as error:
        kind = type(error).__name__
        raise DatabaseDownError(
            f"the database at {address} does not answer ({kind}); start mongod there, or correct `queue` and "
            "`jobstore` in the project file"
        ) from error
    return address


def _client_options(store: dict[str, Any]) -> dict[str, Any]:
    """How maggma connects to a store, with a short wait."""
    options: dict[str, Any] = {"serverSelectionTimeoutMS": DATABASE_WAIT_MS, **(store.get("mongoclient_kwargs") or {})}
    if store.get("uri"):
        return {"host": store["uri"], **options}
    options = {"host": store.get("host", "localhost"), "port": store.get("port", 27017), **options}
    if store.get("username"):
        source = store.get("auth_source") or store.get("database")
        options |= {"username": store["username"], "password": store.get("password"), "authSource": source}
    return options


def _address(store: dict[str, Any]) -> str:
    """Where a database is, without user, password and options, all of which an address may hold."""
    place = str(store.get("uri") or store.get("host", "localhost"))
    bare = place.rpartition("://")[2].rpartition("@")[2].partition("/")[0].partition("?")[0]
    port = "" if "://" in place else f":{store.get('port', 27017)}"
    return f"{bare}{port}/{store.get('database')}"


def initialise(controller: JobController) -> None:
    """Make the collections of a new database; one in use is left as it is.

    Raises
    ------
    UserError
        If it holds jobs or flows but not the counter that numbers them: making it anew would remove them all.
    """
    if controller.auxiliary.find_one({"next_id": {"$exists": True}}) is None:
        counts = {name: getattr(controller, name).estimated_document_count() for name in ("jobs", "flows")}
        if any(counts.values()):
            raise UserError(
                f"the database holds {counts['jobs']} jobs and {counts['flows']} flows but not jobflow-remote's "
                'counter ({"next_id": ...} in its auxiliary collection), so that nothing can be added without removing '
                "them; bring that document back from a backup, or use another database"
            )
        controller.reset(reset_output=False, max_limit=0)
    controller.jobs.create_index("job.metadata.study")
    for field in ("key", "waits_for", "hands_over"):
        controller.jobs.create_index(f"job.metadata.{field}", sparse=True)
    for field in ("campaign", "flow"):
        studies(controller).create_index(field)


def studies(controller: JobController) -> Any:
    """Collection with one document per submitted study."""
    return controller.jobs.database[STUDIES]
