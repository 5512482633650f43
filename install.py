"""Sets Model Search up and runs it: `python install.py demo | test | index FOLDER | search ...`.

By hand it makes `.venv` beside this file, held to `constraints.txt`, unless it runs in a virtual environment that has
torch already. Without arguments, as ComfyUI's managers and the WebUIs call it, it changes nothing in ComfyUI (whose
managers have installed `requirements.txt` before) and installs what a WebUI lacks. Nothing is indexed unless asked.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
OLDEST = (3, 10)
HOST_LACKS = {
    "open_clip": "open_clip_torch",
    "diffusers": "diffusers",
    "peft": "peft",
    "controlnet_aux": "controlnet_aux",
}


class SetupError(Exception):
    """Something that the user has to mend."""


def main(arguments: list[str]) -> int:
    """0 done; otherwise what the command returned, or 2 when the setup failed."""
    try:
        if not arguments:
            return install_into_host()
        python = prepared_python(with_tests=arguments[0] == "test")
    except SetupError as error:
        print(f"install.py: {error}", file=sys.stderr)
        return 2
    command = [str(python), "-m", "modelsearch_core.cli", *arguments]
    if arguments[0] == "test":
        command = [str(python), "-m", "pytest", *arguments[1:]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))}
    folder = HERE if arguments[0] == "test" else None
    return subprocess.call(command, cwd=folder, env=environment)


def prepared_python(*, with_tests: bool) -> Path:
    """The interpreter to use, with everything installed in it."""
    if sys.version_info < OLDEST:
        raise SetupError(f"Python {'.'.join(map(str, OLDEST))} or newer is needed, this is {sys.version.split()[0]}")
    if in_own_environment():
        python, constrained = Path(sys.executable), False
    else:
        python, constrained = venv_python(), True
    requirements = [HERE / "requirements.txt", *([HERE / "requirements-dev.txt"] if with_tests else [])]
    stamp = python.parent.parent / f".modelsearch-{'test' if with_tests else 'run'}"
    wanted = digest([*requirements, HERE / "constraints.txt"])
    if not stamp.is_file() or stamp.read_text() != wanted:
        pip_install(python, requirements, constrained=constrained)
        stamp.write_text(wanted)
    return python


def in_own_environment() -> bool:
    """Whether this interpreter is a virtual environment, not ours, that has torch: a host's, or one made for this."""
    is_virtual = sys.prefix != sys.base_prefix and Path(sys.prefix).resolve() != VENV
    return is_virtual and importlib.util.find_spec("torch") is not None


def venv_python() -> Path:
    """The interpreter of `.venv`, made if it is not there."""
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.is_file():
        print(f"making {VENV}", file=sys.stderr)
        try:
            venv.create(VENV, with_pip=True)
        except (subprocess.CalledProcessError, OSError) as error:
            raise SetupError(
                f"{VENV} could not be made ({error}); on Debian and Ubuntu `apt install python3-venv` helps"
            ) from error
    return python


def pip_install(python: Path, requirements: list[Path], *, constrained: bool) -> None:
    """Quiet, and in an environment that is not ours without moving what is there."""
    print("installing packages (once; torch is large)", file=sys.stderr)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for path in requirements:
        command += ["-r", str(path)]
    if constrained:
        command += ["-c", str(HERE / "constraints.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise SetupError(f"pip could not install the packages:\n{last}\nMend that and run the same command again.")


def install_into_host() -> int:
    """What a host runs at every start: quick, quiet, and nothing that a host pins is moved."""
    webui = importlib.util.find_spec("launch")
    if webui is None:
        return 0
    import launch  # type: ignore[import-not-found]  # the WebUI's own module

    for module, package in HOST_LACKS.items():
        if not launch.is_installed(module):
            launch.run_pip(f"install --no-deps {package}", f"{package} for Model Search")
    return 0


def digest(paths: list[Path]) -> str:
    """Changes when a requirement does."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
