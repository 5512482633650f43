"""Sets Model Search up and runs it.

    python install.py demo               index the bundled mini zoo, search it, write a contact sheet
    python install.py test [ARGS]        run the tests; ARGS go to pytest
    python install.py index FOLDER...    index your own models
    python install.py serve FOLDER...    search and index them in a browser
    python install.py search ...         or any other command; `python install.py --help` says this

The first run makes `.venv` beside this file, with the versions of `constraints.txt`, and `modelsearch` in it, which is
short for this. A virtual, conda or embedded Python that has torch is used as it is instead: only what it lacks is
added, and nothing in it is moved. Without arguments, as ComfyUI's managers and the WebUIs run it, a WebUI is given
what it lacks and ComfyUI is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
REQUIREMENTS = HERE / "requirements.txt"
FURTHER = {"test": HERE / "requirements-dev.txt", "serve": HERE / "requirements-server.txt"}  # by command
CONSTRAINTS = HERE / "constraints.txt"
STAMP = "modelsearch-installed"  # in .venv: digests of the requirements that it fulfils
OLDEST, NEWEST = (3, 10), (3, 14)  # NEWEST: the last one that the pinned torch is built for
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"  # torch's own index of builds without CUDA
CUDA_BUILDS = ("torch", "torchvision")  # what differs in them
MODULES = {"open_clip_torch": "open_clip", "pillow": "PIL", "scikit-image": "skimage"}
# Its opencv-python-headless would be written over a host's opencv; these are what else it needs.
WITHOUT_OPENCV = {"controlnet_aux": ["einops", "importlib_metadata", "scikit-image", "scipy", "timm"]}
# A WebUI's own pipeline needs none of these, and new ones break its old ones: that engine has its own environment.
OF_DIFFUSERS = ("accelerate", "diffusers", "peft")
REFUSED = HERE / "modelsearch-refused.txt"  # which environment our packages had to be taken out of again, and why
# What WebUIs are made of. Some import lazily, so the names that matter are fetched.
HOST_IMPORTS = (
    *("import torch", "import torchvision", "import numpy", "from PIL import Image", "import cv2", "import skimage"),
    *("import transformers", "from transformers import CLIPTextModel, CLIPTokenizer", "import accelerate"),
    *("from diffusers import StableDiffusionPipeline", "from diffusers import AutoencoderKL", "import peft"),
    *("import gradio", "import fastapi", "import kornia", "import pytorch_lightning", "import open_clip"),
    *("import timm", "import safetensors.torch", "import spandrel", "import huggingface_hub", "import scipy.stats"),
)
TRY_IMPORTS = """
import contextlib, io, json, os, sys
failed, out = {}, os.dup(1)
os.dup2(2, 1)
for statement in json.loads(sys.argv[1]):
    try:
        exec(statement, {})
    except BaseException as error:
        failed[statement] = (type(error).__name__ + ": " + str(error).strip().rpartition(chr(10))[2])[:200]
os.write(out, json.dumps(failed).encode())
"""
# Whatever the folder, and also where an embedded Python ignores PYTHONPATH.
RUN_COMMAND = (
    "import runpy, sys; sys.path[0] = sys.argv.pop(1); "
    "runpy.run_module('modelsearch_core.cli', run_name='__main__', alter_sys=True)"
)


class SetupError(Exception):
    """Something that the user has to mend."""


def main(arguments: list[str]) -> int:
    """What the command returned; 2 when the setup failed, 130 when it was interrupted."""
    try:
        if not arguments:
            return install_into_host()
        if arguments[0] in ("-h", "--help"):
            print(__doc__)
            return 0
        as_modelsearch = arguments[0] == "--"
        arguments = arguments[as_modelsearch:]
        python = prepared_python(FURTHER.get(arguments[0]) if arguments else None)
    except SetupError as error:
        print(f"install.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if arguments[:1] == ["test"] and not as_modelsearch:
        return run([python, "-m", "pytest", *arguments[1:]], folder=HERE)
    return run([python, "-c", RUN_COMMAND, str(HERE), *arguments], folder=None)


def run(command: list[str], *, folder: Path | None) -> int:
    """Runs it to its end; an interrupt reaches it too, and it stops in its own way."""
    with subprocess.Popen(command, cwd=folder) as process:
        while process.returncode is None:
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode  # as a shell says it


def prepared_python(further: Path | None) -> str:
    """The interpreter to use, with everything installed in it; `further` lists what a command needs besides."""
    if sys.version_info < OLDEST:
        raise SetupError(f"Python 3.{OLDEST[1]} or newer is needed, this is {sys.version.split()[0]}")
    files = [REQUIREMENTS, *([further] if further else [])]
    if in_own_environment():
        add_what_is_lacking([line for file in files for line in requirements(file)])
        return sys.executable
    python, stamp = str(venv_python()), VENV / STAMP
    wanted = [digest([CONSTRAINTS, *files[:count]]) for count in range(1, len(files) + 1)]
    fulfilled = stamp.read_text().split() if stamp.is_file() else []
    if not set(wanted) <= set(fulfilled):
        if not has_nvidia_gpu():
            install_torch_without_cuda(python)
        pip(python, [*(f"--requirement={file}" for file in files), f"--constraint={CONSTRAINTS}"])
        kept = fulfilled if wanted[0] in fulfilled else []
        stamp.write_text("\n".join(dict.fromkeys([*kept, *wanted])))
    write_command(python)
    return python


def in_own_environment() -> bool:
    """Whether this Python has torch and is an environment made for something: a host's, or one that was activated."""
    prefix = Path(sys.prefix).resolve()
    is_virtual = sys.prefix != sys.base_prefix and prefix != VENV.resolve()
    is_conda = prefix == Path(os.environ.get("CONDA_PREFIX") or HERE).resolve()
    is_embedded = not found("venv")  # the portable ComfyUI's, say
    return (is_virtual or is_conda or is_embedded) and found("torch")


def venv_python() -> Path:
    """The interpreter of `.venv`, made if it is not there, with pip."""
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.is_file():
        if sys.version_info[:2] > NEWEST:
            raise SetupError(
                f"the packages are not yet built for Python {sys.version.split()[0]}; run this with 3.{OLDEST[1]} "
                f"to 3.{NEWEST[1]}, or in an environment that has torch"
            )
        print(f"making {VENV}", file=sys.stderr)
        make_venv()
    if not any(VENV.glob("[Ll]ib/**/site-packages/pip/__init__.py")):
        done = subprocess.run([python, "-m", "ensurepip"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupError(
                f"pip could not be put into {VENV}: {done.stderr.strip()}\n"
                "On Debian and Ubuntu `apt install python3-venv` helps; then run the same command again."
            )
    return python


def make_venv() -> None:
    try:
        import venv  # not everywhere

        venv.create(VENV, symlinks=os.name != "nt")
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        raise SetupError(
            f"{VENV} could not be made: {error}\nOn Debian and Ubuntu `apt install python3-venv` helps; "
            "or make a virtual environment yourself, install torch in it and run this with its Python."
        ) from error


def has_nvidia_gpu() -> bool:
    """True also where there is no telling: only Linux has builds of both sorts under one name."""
    traces = ("/proc/driver/nvidia", "/usr/lib/wsl/lib/libcuda.so.1")
    return sys.platform != "linux" or shutil.which("nvidia-smi") is not None or any(Path(t).exists() for t in traces)


def install_torch_without_cuda(python: str) -> None:
    """The pinned builds, 4.7 of 6.4 GB less on the disk. Where no index has them it says what comes instead."""
    pins = [line for line in requirements(CONSTRAINTS) if name_of(line) in CUDA_BUILDS]
    missing = [pin for pin in pins if not any(VENV.glob(f"[Ll]ib/**/{pin.replace('==', '-')}*.dist-info"))]
    if not missing:
        return
    print("no NVIDIA GPU here: looking for torch without CUDA", file=sys.stderr)
    try:
        pip(python, ["--no-deps", f"--extra-index-url={CPU_BUILDS}", *(f"{pin}+cpu" for pin in missing)])
    except SetupError:
        print(
            f"no package index has {' and '.join(missing)} without CUDA: the build for NVIDIA GPUs is taken, "
            "which works without one; the environment takes 6.4 GB on the disk with it, 4.7 GB of that for GPUs",
            file=sys.stderr,
        )


def write_command(python: str) -> None:
    """`modelsearch` beside the environment's Python: short for this file, with the same folder."""
    words = [python, str(HERE / "install.py"), "--"]
    if os.name == "nt":
        command, text = "modelsearch.cmd", f"@{subprocess.list2cmdline(words)} %*\r\n"
    else:
        command, text = "modelsearch", f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'
    path = Path(python).with_name(command)
    if not path.is_file() or path.read_bytes() != text.encode():
        path.write_bytes(text.encode())
        path.chmod(0o755)


def pip(python: str, arguments: list[str]) -> None:
    """`pip install`, telling what is downloaded; the last lines when it fails."""
    print("installing packages (once; torch and its libraries are large)", file=sys.stderr)
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    last: deque[str] = deque(maxlen=15)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    ) as process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            if line.lstrip().startswith(("Downloading", "Building", "Installing")):
                print(line.strip()[:100], file=sys.stderr)
    if process.returncode:
        raise SetupError(
            "pip could not install the packages:\n" + "\n".join(last) + "\nIt needs a network or pip's cache, and "
            "several gigabytes on the disk. Run the same command again: it goes on with what is missing."
        )


def install_into_host() -> int:
    """What hosts run at every start: quick, quiet, and nothing that they pin is moved."""
    if found("launch"):
        install_into_webui()
    elif "COMFYUI_PATH" not in os.environ and HERE.parent.name != "custom_nodes":
        print(__doc__)
    return 0


def install_into_webui() -> None:
    """Through the WebUI's own installer, which knows its flags. What would break the WebUI is taken out again; a
    failure is one line, and the next start tries again."""
    lines = [line for line in requirements(REQUIREMENTS) if name_of(line) not in OF_DIFFUSERS]
    lacking = [line for line in lines if not found(module_of(line))]
    if not lacking or was_refused():
        return
    launch = importlib.import_module("launch")
    before, broken = installed(), failing_imports(HOST_IMPORTS)
    try:
        for arguments, names in missing_installs(lines):
            quoted = " ".join(f'"{argument}"' for argument in arguments)
            launch.run_pip(f"install {quoted}", f"{', '.join(names)} for Model Search")
    except (RuntimeError, OSError) as error:
        print(f"Model Search: {reason_of(error)}", file=sys.stderr)
    importlib.invalidate_caches()
    if set(installed()) != set(before):
        undo_if_broken(before, broken, [f"import {module_of(line)}" for line in lacking])


def reason_of(error: Exception) -> str:
    """One line of the pages that a WebUI makes of pip's output: what pip gives as the reason, if it does."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    told = next((line for line in lines if line.startswith("ERROR:")), "")
    return f"{lines[0]} {told}".strip()[:400]


def undo_if_broken(before: list[str], broken: dict[str, str], ours: list[str]) -> None:
    """Takes out what was installed since, where something can no longer be imported that could before, or `ours`."""
    now = failing_imports([*HOST_IMPORTS, *ours])
    new = {statement: error for statement, error in now.items() if statement not in broken}
    if not new:
        return
    added = sorted(pin for pin in installed() if pin not in before)
    names = [name_of(pin) for pin in added]
    moved = [pin for pin in before if name_of(pin) in names]
    quiet_pip(["uninstall", "--yes", *names])
    if moved:
        quiet_pip(["install", "--no-deps", *moved])
    statement, error = next(iter(new.items()))
    said = f"with {', '.join(added)} `{statement}` failed ({error}), so they were taken out again"
    REFUSED.write_text("\n".join([state_of(before), said]), encoding="utf-8")
    print(f"Model Search: {said}; its tab cannot search until {REFUSED} is deleted and they install", file=sys.stderr)


def was_refused() -> bool:
    """Whether the same packages were taken out of the same environment before; says so again."""
    if not REFUSED.is_file():
        return False
    state, _, said = REFUSED.read_text(encoding="utf-8").partition("\n")
    if state != state_of(installed()):
        REFUSED.unlink()
        return False
    print(f"Model Search: {said}; to try again, delete {REFUSED}", file=sys.stderr)
    return True


def state_of(pins: list[str]) -> str:
    """Changes when an environment or our requirements do."""
    return hashlib.sha256("\n".join([*sorted(pins), digest([REQUIREMENTS])]).encode()).hexdigest()


def failing_imports(statements: Iterable[str], python: str = sys.executable) -> dict[str, str]:
    """Which of them fail in a process of its own, and how; all of them where that process dies."""
    command = [python, "-c", TRY_IMPORTS, json.dumps(list(statements))]
    done = subprocess.run(command, capture_output=True, cwd=tempfile.gettempdir(), check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return dict.fromkeys(statements, f"the interpreter ended with {done.returncode}")


def quiet_pip(arguments: list[str]) -> None:
    """Says only that it failed."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False)
    if done.returncode:
        print(f"Model Search: pip {arguments[0]} failed: {done.stdout.strip()[-500:]}", file=sys.stderr)


def add_what_is_lacking(lines: list[str]) -> None:
    for arguments, _ in missing_installs(lines):
        pip(sys.executable, arguments)


def missing_installs(lines: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """pip's arguments, and names, for those requirements that this environment lacks; what is installed is held."""
    missing = [line for line in lines if not found(module_of(line))]
    alone = [line for line in missing if name_of(line) in WITHOUT_OPENCV and found("cv2")]
    needed = [other for line in alone for other in WITHOUT_OPENCV[name_of(line)] if not found(module_of(other))]
    together = [line for line in missing if line not in alone]
    together += [name for name in needed if name not in map(name_of, together)]
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder, "installed.txt")
        held.write_text("\n".join(installed()), encoding="utf-8")
        if together:
            yield [f"--constraint={held}", *together], [name_of(line) for line in together]
        if alone:
            yield ["--no-deps", *alone], [name_of(line) for line in alone]


def installed() -> list[str]:
    """`name==version` of every package of this environment; of two of a name, the one that is imported."""
    import importlib.metadata  # since 3.8; what is older gets as far as being told

    pins: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        pin = f"{distribution.metadata['Name'] or ''}=={distribution.version}"
        if re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!+]*", pin):  # leaves out what was broken by hand
            pins.setdefault(re.sub(r"[._-]+", "-", name_of(pin)).lower(), pin)
    return list(pins.values())


def requirements(file: Path) -> list[str]:
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def name_of(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def module_of(requirement: str) -> str:
    name = name_of(requirement)
    return MODULES.get(name, name.replace("-", "_"))


def found(module: str) -> bool:
    """Whether it could be imported; nothing is."""
    return importlib.util.find_spec(module) is not None


def digest(files: list[Path]) -> str:
    """Changes when a requirement does."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
