"""Full disks, locks, damaged pages, files that are gone, two indexers at once: real ones."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from modelsearch_core.catalog import Catalog, database, faults
from modelsearch_core.catalog.migrations import STEPS
from modelsearch_core.catalog.repairing import repair
from modelsearch_core.cli import main
from modelsearch_core.errors import CatalogFaultError
from modelsearch_core.specification import Evidence, Specification
from tests.making.collections import fill_catalog
from tests.making.fakes import model_file

ROOT = Path(__file__).parents[1]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="such limits are POSIX")
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalog of 200 models in one file."""
    path = tmp_path / "catalog.sqlite"
    fill_catalog(path, 200)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def fill_pages(catalog: Catalog) -> None:
    catalog.put_samples("f", "d", {n: random.randbytes(50_000) for n in range(100)})


def test_a_full_disk_is_said_and_what_was_stored_stays(path: Path):
    with Catalog(path) as catalog:
        catalog._connection.execute(f"PRAGMA max_page_count = {path.stat().st_size // PAGE + 4}")
        with pytest.raises(CatalogFaultError, match=r"catalog\.sqlite cannot be written: the disk is full; make room"):
            fill_pages(catalog)
        assert len(catalog.models()) == 200
        assert catalog.sample_numbers("f", "d") == []


@POSIX
def test_a_limit_on_files_is_said(path: Path):
    code = (
        "import resource, sys; from pathlib import Path; from modelsearch_core.catalog import Catalog;"
        "from tests.test_catalog_faults import fill_pages;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20)); fill_pages(Catalog(Path(sys.argv[1])))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "CatalogFaultError" in done.stderr.splitlines()[-1]
    assert "files may not grow (`ulimit -f`)" in done.stderr
    assert len(Catalog(path).models()) == 200


def test_a_lock_that_is_held_is_said(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(path)) as other, Catalog(path) as catalog:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CatalogFaultError, match=r"is in use: another program has written to it for over 30 s"):
            catalog.put_setting("a", "b")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_protected_file_is_said(path: Path):
    path.chmod(0o444)
    with pytest.raises(CatalogFaultError, match="write-protected"), Catalog(path) as catalog:
        catalog.put_setting("a", "b")


@pytest.mark.parametrize("place", ["/dev/null/x/c.sqlite", "/proc/c.sqlite"])
@POSIX
def test_a_place_where_nothing_can_be_made_is_said(place: str, capsys: pytest.CaptureFixture[str]):
    assert main(["index", ".", "--catalog", place, "--device", "cpu"]) == 1
    said = capsys.readouterr().err
    assert place in said
    assert "--catalog" in said
    assert len(said.splitlines()) == 1


@POSIX
@pytest.mark.parametrize("replaced", [False, True])
def test_a_catalog_that_is_deleted_while_it_is_used_is_said(path: Path, replaced: bool):
    with Catalog(path) as catalog:
        catalog.put_setting("a", "b")
        shutil.rmtree(path.parent)
        if replaced:
            path.parent.mkdir()
            fill_catalog(path, 1)
        with pytest.raises(CatalogFaultError, match="was deleted or replaced while it was used"):
            catalog.put_setting("c", "d")


def test_every_error_becomes_a_sentence_with_the_path():
    for text in ("database or disk is full", "disk I/O error", "whatever comes"):
        said = str(faults.fault(sqlite3.OperationalError(text), Path("/x/c.sqlite")))
        assert "/x/c.sqlite" in said
        assert ";" in said


# a damaged file


def damage(path: Path, *pages: int) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * PAGE)
            file.write(random.randbytes(PAGE))


def test_a_sound_catalog_is_left_as_it_is(path: Path):
    before = path.read_bytes()
    done = repair(path)
    assert (done.was_damaged, done.lost, done.saved["file"]) == (False, {}, 200)
    assert path.read_bytes() == before


def test_what_can_be_read_of_a_damaged_catalog_is_saved(path: Path, capsys: pytest.CaptureFixture[str]):
    whole = path.read_bytes()
    pages = len(whole) // PAGE
    worst, unlucky = 200, 0
    for page in range(20, pages, max(1, pages // 12)):
        path.write_bytes(whole)
        damage(path, page)
        status = main(["list", "--catalog", str(path)])
        assert status in (0, 1)
        said = capsys.readouterr().err
        assert (status == 0 and not said) or "`modelsearch repair --catalog" in said
        try:
            done = repair(path)
        except CatalogFaultError as error:  # the page with the names of the tables: SQLite tells nothing without it
            assert "put a copy in its place" in str(error)
            unlucky += 1
            continue
        if not done.was_damaged:
            continue  # a free page, or one within a picture
        with Catalog(path) as catalog:
            assert len(catalog.models()) == done.saved["file"]
            worst = min(worst, done.saved["file"])
            catalog.put_files([model_file("new")])
        assert not repair(path).was_damaged
        assert done.damaged is not None
        assert done.damaged.is_file()
        done.damaged.unlink()
    assert worst > 150
    assert unlucky <= 1


def test_repair_tells_what_it_saved_and_what_is_lost(path: Path, capsys: pytest.CaptureFixture[str]):
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT pageno FROM dbstat WHERE name = 'file' AND pagetype = 'leaf'"
        try:
            page = connection.execute(query).fetchall()[2][0] - 1
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no table of pages")
    damage(path, page)
    assert main(["repair", "--catalog", str(path)]) == 1
    said = capsys.readouterr().out
    assert "models' files" in said
    assert "is usable again; the damaged file is kept as" in said
    assert main(["list", "--catalog", str(path)]) == 0


def test_repair_keeps_rows_however_many_there_are_and_however_they_are_packed(path: Path):
    rng = np.random.default_rng(0)
    counts = {"few": 3, "ten": 10, "many": 64}
    with Catalog(path) as catalog:
        encoder, dimension = "e", 512
        catalog.put_encoder(encoder, "source", dimension)
        for name, S in counts.items():
            catalog.put_specification(
                Specification(
                    fingerprint=name,
                    digest="d",
                    encoder=encoder,
                    evidence=Evidence.GENERATED,
                    Z=rng.normal(size=(S, dimension)).astype(np.float32),
                    numbers=np.arange(S),
                )
            )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = (
            connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'file_fingerprint'").fetchone()[0] - 1
        )
    damage(path, page)
    done = repair(path)
    assert done.was_damaged and "specification" not in done.lost
    with Catalog(path) as catalog:
        assert {row.fingerprint: row.samples for row in catalog.measured(encoder)} == counts


def test_a_file_of_which_nothing_can_be_read_says_what_to_do(path: Path, capsys: pytest.CaptureFixture[str]):
    damage(path, 0)
    assert main(["repair", "--catalog", str(path)]) == 1
    assert "put a copy in its place" in capsys.readouterr().err
    assert sorted(file.name for file in path.parent.iterdir()) == ["catalog.sqlite"]


# migrations


def old(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        STEPS[0](connection)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO setting VALUES ('a', 'b')")
        connection.commit()


def test_an_old_catalog_is_copied_before_it_is_changed(tmp_path: Path):
    path = tmp_path / "my [index].sqlite"
    old(path)
    (tmp_path / f"my [index] {database.BACKUP} 1.sqlite").write_bytes(b"")  # of an earlier migration
    with Catalog(path) as catalog:
        assert catalog.setting("a") == "b"
    (copy,) = tmp_path.glob(f"*{database.BACKUP}*")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT * FROM setting").fetchall() == [("a", "b")]


def test_without_room_for_the_copy_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "c.sqlite"
    old(path)
    monkeypatch.setattr(database.os, "getpid", lambda: "x" * 300)
    with pytest.raises(CatalogFaultError, match="is copied before it is brought up to date, which failed"):
        Catalog(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_hosts_threads_open_an_old_catalog_at_the_same_moment(tmp_path: Path):
    """As a panel that is asked while the first look begins: one of them brings it up to date, all can use it."""
    path = tmp_path / "c.sqlite"
    old(path)
    together = threading.Barrier(4)

    def setting(number: int) -> str | None:
        together.wait()
        with Catalog(path, read_only=number % 2 == 0) as catalog:
            return catalog.setting("a")

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(setting, range(4))) == ["b"] * 4
    (copy,) = tmp_path.glob(f"*{database.BACKUP}*")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_new_catalog_is_not_copied(path: Path):
    assert list(path.parent.glob(f"*{database.BACKUP}*")) == []


# claims


def test_a_claim_is_one_indexers_until_it_lets_go(path: Path):
    with Catalog(path) as one, Catalog(path) as other:
        assert one.claims.take("m")
        assert one.claims.take("m")
        assert not other.claims.take("m")
        other.claims.release("m")
        assert not other.claims.take("m")
        one.claims.release("m")
        assert other.claims.take("m")


def test_a_claim_left_behind_counts_for_nothing(path: Path, monkeypatch: pytest.MonkeyPatch):
    code = "import sys; from pathlib import Path; from modelsearch_core.catalog import Catalog;"
    code += "print(Catalog(Path(sys.argv[1])).claims.take('m'))"
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    with Catalog(path) as one, Catalog(path) as other:
        assert one.claims.take("m")  # its process has ended
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 2000)
        one.claims.renew()
        assert not other.claims.take("m")
        monkeypatch.setattr(time, "time", lambda: now + 4000)
        assert other.claims.take("m")  # its time is up


def test_who_waits_gets_it_when_it_is_free_and_may_be_stopped(path: Path):
    order: list[str] = []

    def stop() -> None:
        raise KeyboardInterrupt

    with Catalog(path) as one, Catalog(path) as other:
        one.claims.take("m")
        with pytest.raises(KeyboardInterrupt), other.claims.awaited("m", stop):
            order.append("never")
        timer = threading.Timer(0.2, lambda: (order.append("released"), one.claims.release("m")))
        timer.start()
        with other.claims.awaited("m", lambda: None):
            order.append("taken")
        timer.join()
    assert order == ["released", "taken"]
