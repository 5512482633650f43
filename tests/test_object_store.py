"""Samples' pictures in an object store: a real server that speaks S3, and a store that fails in words of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelsearch_core.catalog import Catalog
from modelsearch_core.catalog.copying import copy
from modelsearch_core.errors import CatalogFaultError
from modelsearch_core.indexing import IndexSettings, index
from tests.indexing.folders import make_folder
from tests.making.fakes import ColourEncoder
from tests.panel.conftest import colour_engine

SAMPLES = 3
BUCKET = "pictures-of-models"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    make_folder(tmp_path / "models", ["base checkpoint", "red", "green"])
    with Catalog(tmp_path / "catalog.sqlite") as catalog:
        index(catalog, [tmp_path / "models"], colour_engine(), IndexSettings(samples=SAMPLES))
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server, and a bucket in it; `pip install moto[server,s3] s3fs`."""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    server = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer(port=0)
    import boto3
    import s3fs

    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    s3fs.S3FileSystem.clear_instance_cache()
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    yield server
    server.stop()


def generated(catalog: Catalog) -> list[tuple[str, str]]:
    keys = catalog.specification_keys(ColourEncoder.name)
    return [(fingerprint, digest) for fingerprint, digest, *_ in keys if not digest.startswith("words:")]


def pictures(path: Path) -> dict[tuple[str, str, int], bytes | None]:
    with Catalog(path) as catalog:
        return {
            (fingerprint, digest, number): catalog.sample(fingerprint, digest, number)
            for fingerprint, digest in generated(catalog)
            for number in range(SAMPLES)
        }


def test_pictures_go_to_a_server_that_speaks_s3_and_come_back(s3: Any, collection: Path, tmp_path: Path):
    there, back = tmp_path / "there.sqlite", tmp_path / "back.sqlite"
    copy(collection, there, f"s3://{BUCKET}/a/folder")
    assert pictures(there) == pictures(collection)
    assert len(pictures(there)) == 3 * SAMPLES and all(pictures(there).values())
    with Catalog(there) as catalog:
        fingerprint, digest = generated(catalog)[0]
        catalog.put_samples(fingerprint, digest, {7: b"RIFF another"})
        assert catalog.sample(fingerprint, digest, 7) == b"RIFF another"
        catalog.remove_specification(fingerprint, digest)
        assert catalog.sample(fingerprint, digest, 7) is None
    copy(there, back)
    assert pictures(back) == {key: webp for key, webp in pictures(collection).items() if key[0] != fingerprint}


def test_a_server_that_has_gone_is_named(s3: Any, collection: Path, tmp_path: Path):
    there = tmp_path / "there.sqlite"
    copy(collection, there, f"s3://{BUCKET}/another")
    s3.stop()
    with pytest.raises(CatalogFaultError, match=f"pictures at s3://{BUCKET}/another cannot be used .*--pictures URL"):
        pictures(there)


def test_a_store_that_refuses_in_words_of_its_own_is_named(collection: Path, tmp_path: Path):
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    from fsspec.implementations.memory import MemoryFileSystem

    class NoCredentialsError(Exception):
        pass

    class Refusing(MemoryFileSystem):
        protocol = "refusing"

        def makedirs(self, path: str, exist_ok: bool = False) -> None:
            raise NoCredentialsError("no credentials")

    fsspec.register_implementation("refusing", Refusing, clobber=True)
    with pytest.raises(CatalogFaultError, match=r"refusing://store cannot be used \(no credentials\)"):
        copy(collection, tmp_path / "copy.sqlite", "refusing://store")
    assert not (tmp_path / "copy.sqlite").exists()
