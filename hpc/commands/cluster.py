"""``magnetoionics cluster init`` and ``magnetoionics cluster doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from .help_groups import WholeHelpGroup

ProjectArgument = Annotated[str, typer.Argument(help="Name of the project.")]


def init(
    project: ProjectArgument,
    scheduler: Annotated[str, typer.Option(help="slurm, pbs, sge or shell.")],
    work_dir: Annotated[str, typer.Option(help="Absolute folder on the cluster for the jobs.")],
    host: Annotated[str | None, typer.Option(help="Login node for ssh [default: this machine].")] = None,
    user: Annotated[str | None, typer.Option(help="User on the login node.")] = None,
    python: Annotated[str | None, typer.Option(help="Interpreter on the cluster that has this package.")] = None,
    pre_run: Annotated[str, typer.Option(help="Shell lines before every job, e.g. module load vasp.")] = "",
    queue: Annotated[str | None, typer.Option(help="Partition or queue.")] = None,
    gpu_queue: Annotated[str | None, typer.Option(help="Partition or queue with GPUs.")] = None,
    account: Annotated[str | None, typer.Option(help="Account that pays.")] = None,
    parallel_environment: Annotated[str, typer.Option(help="Grid Engine's, for several slots.")] = "mpi",
    cores: Annotated[int, typer.Option(help="Cores per node.")] = 32,
    neb_nodes: Annotated[int, typer.Option(help="Nodes of one band.")] = 4,
    walltime_h: Annotated[float, typer.Option(help="Time limit of one job, hours.")] = 24.0,
    poll: Annotated[float, typer.Option(help="Seconds between looks at the scheduler.")] = 20.0,
    max_queued: Annotated[int, typer.Option(help="Most jobs in a queue at a time.")] = 100,
    db_host: Annotated[str, typer.Option(help="Machine of the MongoDB.")] = "localhost",
    db_port: Annotated[int, typer.Option(help="Its port.")] = 27017,
    db_name: Annotated[str | None, typer.Option(help="Database [default: the project's name].")] = None,
    db_user: Annotated[str | None, typer.Option(help="User; password in MAGNETOIONICS_DB_PASSWORD.")] = None,
    db_auth_source: Annotated[
        str | None, typer.Option(help="Database that knows the user, often admin [default: the same].")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a project of this name.")] = False,
) -> None:
    """Write a project of jobflow-remote with workers, polling and a table of resources."""
    from typing import cast

    from ..cluster.project import ClusterSettings, Database, Scheduler, write_project

    settings = ClusterSettings(
        name=project,
        scheduler=cast(Scheduler, scheduler.lower()),
        work_dir=work_dir,
        host=host,
        user=user,
        python=python,
        pre_run=pre_run,
        queue=queue,
        gpu_queue=gpu_queue,
        account=account,
        parallel_environment=parallel_environment,
        cores_per_node=cores,
        neb_nodes=neb_nodes,
        walltime_s=round(walltime_h * 3600),
        poll_s=poll,
        max_queued=max_queued,
        database=Database(
            host=db_host, port=db_port, name=db_name or project, user=db_user, auth_source=db_auth_source
        ),
    )
    path, table = write_project(settings, overwrite=overwrite)
    typer.echo(f"project: {path} (readable by you only)\nresources: {table}")
    typer.echo(f"check it with: magnetoionics cluster doctor {project}")


def doctor(
    project: ProjectArgument,
    fix: Annotated[bool, typer.Option("--fix", help="Apply the cures that cannot lose anything.")] = False,
    stale_minutes: Annotated[float, typer.Option(help="A lock older than this is a dead runner's.")] = 30.0,
    engine: Annotated[
        list[str] | None,
        typer.Option(help="Look for this engine's code and data, too: vasp or gpaw; can be repeated."),
    ] = None,
    watch: Annotated[
        float | None,
        typer.Option(help="With --fix: look again every so many minutes, until no job is left to wait for."),
    ] = None,
) -> None:
    """Check project, database, scheduler, codes and jobs; each finding with its cure. Exit code 1 if any is left."""
    from ..cluster.doctor import examine
    from ..cluster.watch import watch as keep_watch
    from ..errors import UserError

    if watch is not None:
        if not fix:
            raise UserError("--watch cures again and again: say --fix, too")
        if not keep_watch(project, watch, stale_s=60 * stale_minutes, engines=engine or []):
            raise typer.Exit(1)
        return
    if not examine(project, fix=fix, stale_s=60 * stale_minutes, engines=engine or []):
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(cls=WholeHelpGroup, help="Projects on a cluster.", no_args_is_help=True, rich_markup_mode=None)
    group.command()(init)
    group.command()(doctor)
    app.add_typer(group, name="cluster")
