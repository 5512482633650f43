"""The diffusers generator in a process of its own: a host's memory and libraries stay as they are, a crash is a failure
of one model, and all memory is free again at the end."""

from __future__ import annotations

import json
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from .. import errors
from ..errors import ModelSearchError, UnsupportedReferenceError
from ..model_files import ModelFile
from ..model_files.written import file_to_json
from ..probes import Probe, ProbeSet
from .diffusers import DiffusersGenerator
from .settings import GeneratorSettings
from .worker import decoded, settings_to

ROOT = Path(__file__).resolve().parents[2]
CODE = f"import sys; sys.path.insert(0, sys.argv[1]); from {__package__}.worker import main; main()"


class SeparateGenerator:
    """Plans here, generates there. `close` ends the process; the next request starts another. `python` is the
    interpreter that has diffusers; this one need not."""

    name = DiffusersGenerator.name

    def __init__(
        self, candidates: Sequence[ModelFile], settings: GeneratorSettings, python: str | Path = sys.executable
    ) -> None:
        self._planner = DiffusersGenerator(candidates, settings)
        self._python = str(python)
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None

    def base_of(self, model: ModelFile) -> ModelFile | None:
        return self._planner.base_of(model)

    def plan(self, model: ModelFile, probes: Sequence[Probe]) -> ProbeSet:
        if any(probe.drawing for probe in probes):
            raise UnsupportedReferenceError("drawings are not sent to a process of its own; index in this one")
        return self._planner.plan(model, probes)

    def generate(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> Iterator[list[Image.Image]]:
        """As the planner would. What is left unread ends the process: its pictures would be taken for the next's."""
        finished = False
        try:
            yield from self._replies(self._request(model, probe_set, numbers), model)
            finished = True
        except ModelSearchError:
            finished = True
            raise
        finally:
            if not finished:
                self.close()

    def close(self) -> None:
        if self._process is not None:
            _end(self._process)
        self._process = None

    def _request(self, model: ModelFile, probe_set: ProbeSet, numbers: Sequence[int]) -> dict[str, Any]:
        needed = {model.fingerprint, probe_set.base, probe_set.accelerator}
        candidates = [m for m in self._planner.known.models if m.fingerprint in needed or m.path.is_dir()]
        return {
            "model": file_to_json(model),
            "candidates": [file_to_json(candidate) for candidate in candidates],
            "settings": settings_to(self._settings),
            "probes": [asdict(probe) for probe in probe_set.probes],
            "digest": probe_set.digest,
            "numbers": list(numbers),
        }

    def _replies(self, request: Mapping[str, Any], model: ModelFile) -> Iterator[list[Image.Image]]:
        process = self._running()
        assert process.stdin and process.stdout
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            reply = json.loads(line)
            if "error" in reply:
                raise getattr(errors, reply["kind"] or "ModelSearchError")(reply["error"])
            if reply.get("done"):
                return
            yield [decoded(picture) for picture in reply["pictures"]]
        self.close()
        raise ModelSearchError(
            f"the process that makes the pictures ended with {process.wait()} at {model.path.name}; often the memory "
            "was used up: make fewer pictures at a time, or smaller ones"
        )

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [self._python, "-c", CODE, str(ROOT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            weakref.finalize(self, _end, self._process)
        return self._process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
