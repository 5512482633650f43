"""Another machine's `modelsearch serve`, asked in place of this host's own index: one index for a whole studio.

The browser's questions are handed on as they are; what comes back gets the names that this host has for the models: by
fingerprint, else by a file name that only one model here has.
"""

from __future__ import annotations

import io
import ipaddress
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import requests
from PIL import Image

from ..errors import ModelSearchError
from ..search import Filters, Match, Query
from ..specification import Evidence
from .refusals import RefusedError

CONNECT, READ = 5.0, 120.0  # seconds
LARGEST = 64 << 20  # bytes of an answer
EXAMPLE = "http://nas:8189/?token=…"
FORWARDED = frozenset(
    {
        ("POST", "search"),
        ("GET", "status"),
        ("GET", "models"),
        ("GET", "models/{id}"),
        ("GET", "models/{id}/samples/{number}.webp"),
        ("GET", "models/{id}/previews/{number}.webp"),
        ("GET", "models/{id}/base/{number}.webp"),
        ("GET", "models/{id}/painted/{part}/{number}.webp"),
        ("GET", "map"),
        ("GET", "duplicates"),
    }
)
KEPT_THERE = frozenset(  # of that machine's catalogue, which only whoever serves it changes
    {
        ("POST", "models/{id}/preview"),
        ("GET", "models/{id}/by_hand"),
        ("POST", "models/{id}/by_hand"),
        ("POST", "previews"),
        ("GET", "check"),
        ("POST", "check"),
    }
)


class SearchServer:
    """`address` as `modelsearch serve` prints it, with its token; `http://:PASSWORD@nas:8189` where it has a password,
    unless that is given as `secret`; `where` says in messages where the address is set. ModelSearchError for what is no
    address. Methods may be called from any thread."""

    def __init__(self, address: str, secret: str = "", where: str = "") -> None:
        self.given, self._where = address, where and f": {where}"
        parts = urlsplit(address.strip())
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise ModelSearchError(
                f"{_shown(address)!r} is no address of a search server, which begins with http:// or https://, as in "
                f"{EXAMPLE}{self._where}"
            )
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.address = f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
        self._secret = secret or parts.password or parse_qs(parts.query).get("token", [""])[0]
        self._session = requests.Session()
        self._session.trust_env = not _is_near(parts.hostname)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        pictures: Mapping[str, Sequence[bytes]] | None = None,
    ) -> tuple[int, bytes, str]:
        """Status, content and content type of its answer. RefusedError where it cannot be had."""
        headers = {"Authorization": f"Bearer {self._secret}"} if self._secret else {}
        sent: dict[str, Any] = {}
        if pictures:
            files = [(name, (f"{name}.png", content, "image/png")) for name, of in pictures.items() for content in of]
            sent = {"files": files, "data": {"query": json.dumps(body or {})}}
        elif method == "POST":
            sent = {"json": dict(body or {})}
        try:
            with self._session.request(
                method,
                f"{self.address}/modelsearch/{path}",
                params=dict(query or {}),
                headers=headers,
                timeout=(CONNECT, READ),
                allow_redirects=False,
                stream=True,
                **sent,
            ) as answer:
                content = b"".join(_limited(answer.iter_content(1 << 16)))
                return answer.status_code, content, answer.headers.get("Content-Type", "")
        except requests.RequestException as error:
            raise RefusedError(
                502, f"the search server {self.address} does not answer ({type(error).__name__}){self._where}"
            ) from error

    def json(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        """Its answer; RefusedError with what it said."""
        status, content, _ = self.ask(method, path, **sent)
        try:
            reply = json.loads(content)
        except ValueError:
            reply = None
        if status == 401:
            raise RefusedError(
                502,
                f"{self.address} wants another token: enter its address as `modelsearch serve` printed it{self._where}",
            )
        if not isinstance(reply, dict):
            raise RefusedError(502, f"{self.address} is no search server: it answered {status} and no JSON object")
        if status != 200:
            more = {"empty": True} if reply.get("empty") is True else {}
            why = f"{self.address}: {reply.get('error')}"[:500]
            raise RefusedError(status if 400 <= status < 500 else 502, why, **more)
        return reply

    def search(
        self,
        query: Query,
        *,
        filters: Filters | None = None,
        method: str = "auto",
        k: int = 10,
        diverse: bool = False,
    ) -> list[Match]:
        """As `ModelIndex.search`, but for `among` of the filters; paths are that machine's."""
        texts = [word for word in query.without if isinstance(word, str)]
        unwanted = [picture for picture in query.without if isinstance(picture, Image.Image)]
        body: dict[str, Any] = {
            **{"text": list(query.text), "like": list(query.like), "without": texts, "weights": query.weights},
            **{"style": query.style, "respect_layout": query.respect_layout, "method": method, "k": k},
            **{"diverse": diverse, "explained": False, **(filters.said if filters else {})},
        }
        if query.weights is not None:
            body["weights"] = [float(weight) for weight in query.weights]
        pictures = {"image": query.images, "sketch": query.sketches, "without": unwanted}
        sent = {name: [_png(picture) for picture in of] for name, of in pictures.items() if of}
        reply = self.json("POST", "search", body=body, pictures=sent)
        try:
            return [match_from_json(each) for each in reply["matches"]]
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError(502, f"{self.address} runs another version of Model Search: update both") from error

    def picture(self, path: str) -> bytes:
        """A WebP file. RefusedError where there is none."""
        status, content, kind = self.ask("GET", path)
        if status != 200 or not kind.startswith("image/webp"):
            raise RefusedError(404, f"{self.address} has no such picture")
        return content

    def sample(self, id: str, number: int) -> Image.Image | None:
        """A picture that the model made, where it is still there."""
        try:
            content = self.picture(f"models/{quote(id, safe='')}/samples/{number}.webp")
        except RefusedError as error:
            if error.status != 404:
                raise
            return None
        return Image.open(io.BytesIO(content)).convert("RGB")


def match_from_json(reply: Mapping[str, Any]) -> Match:
    """What `Match.to_json` wrote, without the explanation."""
    plain = ("rank", "id", "name", "title", "kind", "architecture", "variant", "lineage", "score", "relevance", "weak")
    return Match(
        **{name: reply[name] for name in (*plain, "confidence", "guessed", "deviation", "strength")},
        path=Path(reply["path"]),
        copies=tuple(map(Path, reply["copies"])),
        evidence=Evidence(reply["evidence"]),
        trigger_words=tuple(reply["trigger_words"]),
        samples=reply.get("samples", 0),  # of servers from before, none
        users_pictures=reply.get("users_pictures", 0),
        thumbnails=tuple(reply["thumbnails"]),
    )


def _limited(chunks: Any) -> Any:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > LARGEST:
            raise RefusedError(502, f"the search server answered with more than {LARGEST >> 20} MB")
        yield chunk


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _is_near(name: str) -> bool:
    """Whether no proxy of the environment lies between: this machine, and addresses of the own network."""
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return name == "localhost" or "." not in name or name.endswith((".local", ".lan", ".internal"))


def _shown(address: str) -> str:
    """Without what opens it."""
    return address.partition("?")[0].rpartition("@")[2][:100]
