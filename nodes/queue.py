"""One prompt of ours in ComfyUI's queue, behind all others."""

from __future__ import annotations

import json
import ssl
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from server import PromptServer

from ..modelsearch_core.errors import ModelSearchError

LAST = 10**9  # a user's prompts are numbered from 0 on
CLIENT = "model-search-indexing"  # nobody listens there: our progress stays out of the users' windows


def others() -> int:
    """How many prompts wait or run."""
    return PromptServer.instance.prompt_queue.get_tasks_remaining()


def put(prompt: Mapping[str, Any]) -> str:
    """The prompt's id. Through the server's own door: what lies in the queue has another form in every version."""
    prompt_id = uuid.uuid4().hex
    body = {"prompt": prompt, "prompt_id": prompt_id, "number": LAST, "client_id": CLIENT}
    request = Request(f"{_address()}/prompt", json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=60, context=_own_certificate()) as reply:
            return str(json.loads(reply.read())["prompt_id"])
    except HTTPError as error:
        raise ModelSearchError(f"ComfyUI refuses the indexing prompt: {error.read().decode()[:300]}") from error
    except URLError as error:
        raise ModelSearchError(f"ComfyUI cannot be reached at {_address()}: {error.reason}") from error


def is_there(prompt_id: str) -> bool:
    running, waiting = PromptServer.instance.prompt_queue.get_current_queue_volatile()
    return any(item[1] == prompt_id for item in (*running, *waiting))


def drop(prompt_id: str) -> None:
    """Out of the queue, if it still waits there."""
    PromptServer.instance.prompt_queue.delete_queue_item(lambda item: item[1] == prompt_id)


def wait_for(prompt_id: str, seconds: float = 0.1) -> None:
    """Until it is through or gone. It leaves nothing in the history."""
    while is_there(prompt_id):
        time.sleep(seconds)
    PromptServer.instance.prompt_queue.delete_history_item(prompt_id)


def _address() -> str:
    server = PromptServer.instance
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(server.address, server.address)
    return f"{_scheme()}://{f'[{host}]' if ':' in host else host}:{server.port}"


def _scheme() -> str:
    from comfy.cli_args import args

    return "https" if args.tls_keyfile and args.tls_certfile else "http"


def _own_certificate() -> ssl.SSLContext | None:
    """We talk to ourselves: a certificate made out to another name is no danger."""
    if _scheme() == "http":
        return None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
