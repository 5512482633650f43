"""The catalog's schema, one numbered step after another. A step that was released is never edited.

`file` is what lies on disk, `specification` and `sample` what was measured of a fingerprint: copies of a file share
them, and a file that comes back finds its rows again.
"""

from __future__ import annotations

from collections.abc import Callable

from . import user_pictures, weight_sketches
from .classifier_schema import CLASSIFIERS
from .connection import Schema

Step = Callable[[Schema], None]

FIRST_SCHEMA = """
CREATE TABLE file (
    path TEXT PRIMARY KEY,
    fingerprint TEXT,               -- NULL: could not be read
    kind TEXT,
    architecture TEXT,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    record TEXT NOT NULL            -- JSON of the ModelFile or SkippedFile
);
CREATE INDEX file_fingerprint ON file (fingerprint);
CREATE TABLE encoder (
    name TEXT PRIMARY KEY,
    source TEXT NOT NULL,           -- what opens it again
    dimension INTEGER NOT NULL
);
CREATE TABLE probe_set (
    digest TEXT PRIMARY KEY,
    recipe_digest TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE TABLE specification (
    fingerprint TEXT NOT NULL,
    digest TEXT NOT NULL,
    encoder TEXT NOT NULL,
    evidence TEXT NOT NULL,
    samples INTEGER NOT NULL,
    created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    strength REAL,
    consistency REAL,
    mean BLOB NOT NULL,             -- float32 (D,), of Z: derived, so that a first answer need not read Z
    numbers BLOB NOT NULL,          -- int32 (S,)
    z BLOB NOT NULL,                -- float16 (S, D)
    drawings BLOB,                  -- float16 (S, D)
    PRIMARY KEY (fingerprint, digest, encoder)
);
CREATE TABLE sample (
    fingerprint TEXT NOT NULL,
    digest TEXT NOT NULL,
    number INTEGER NOT NULL,
    webp BLOB NOT NULL,
    PRIMARY KEY (fingerprint, digest, number)
);
CREATE TABLE text_feature (
    encoder TEXT NOT NULL,
    text TEXT NOT NULL,
    feature BLOB NOT NULL,          -- float16 (D,)
    PRIMARY KEY (encoder, text)
);
CREATE TABLE failure (
    fingerprint TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
"""


SPATIAL_MAPS = """
CREATE TABLE spatial_encoder (
    name TEXT PRIMARY KEY,
    source TEXT NOT NULL,           -- what opens it again
    dimension INTEGER NOT NULL
);
CREATE TABLE spatial_map (
    fingerprint TEXT NOT NULL,
    digest TEXT NOT NULL,
    encoder TEXT NOT NULL,
    samples INTEGER NOT NULL,
    mean BLOB NOT NULL,             -- float16 (F,), of the pictures' unit maps
    single BLOB NOT NULL,           -- float16 (n, F), of a few pictures: unrelated queries to compare with
    PRIMARY KEY (fingerprint, digest, encoder)
);
"""

COLUMNS = """
ALTER TABLE specification ADD COLUMN packing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE specification ADD COLUMN density BLOB;
ALTER TABLE specification ADD COLUMN drawn_density BLOB;
ALTER TABLE specification ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0;
CREATE INDEX specification_key
    ON specification (encoder, fingerprint, digest, stamp, evidence, samples, strength, consistency);
CREATE TABLE recipe (
    digest TEXT PRIMARY KEY,
    base TEXT,                      -- fingerprint
    base_digest TEXT,               -- of the set that the base was asked; NULL: not worked out yet
    record TEXT NOT NULL            -- JSON of the probe set without what is a model's own
);
INSERT OR IGNORE INTO recipe (digest, base, record)
    SELECT recipe_digest, json_extract(record, '$.base'), json_remove(record, '$.trigger_words', '$.notes')
    FROM probe_set;
CREATE TABLE asked (
    digest TEXT PRIMARY KEY,
    recipe TEXT NOT NULL,
    trigger_words TEXT NOT NULL,    -- JSON
    notes TEXT NOT NULL             -- JSON
);
INSERT INTO asked
    SELECT digest, recipe_digest, json_extract(record, '$.trigger_words'),
           coalesce(json_extract(record, '$.notes'), '[]')
    FROM probe_set;
DROP TABLE probe_set;
ALTER TABLE asked RENAME TO probe_set;
CREATE TABLE statistic (
    fingerprint TEXT NOT NULL,
    digest TEXT NOT NULL,
    encoder TEXT NOT NULL,
    name TEXT NOT NULL,             -- mean, drawn_mean
    version INTEGER NOT NULL,       -- of the formula
    blob BLOB NOT NULL,
    PRIMARY KEY (encoder, name, fingerprint, digest)
);
CREATE TABLE collection_statistic (
    encoder TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    blob BLOB NOT NULL,
    PRIMARY KEY (encoder, name)
);
CREATE TABLE revision (
    of TEXT PRIMARY KEY,            -- a table
    number INTEGER NOT NULL         -- grows with every change of it
);
"""


IDENTITIES = """
CREATE TABLE identity (
    fingerprint TEXT PRIMARY KEY,   -- what rows are kept under
    claim TEXT NOT NULL,            -- the fingerprint of a few kilobytes, which other weights may have, too
    weights TEXT                    -- hash of all weights; NULL: they were not read as a whole yet
);
CREATE INDEX identity_claim ON identity (claim);
CREATE TABLE weights_at (
    path TEXT PRIMARY KEY,
    state TEXT NOT NULL,            -- of the files, when they were looked at
    fingerprint TEXT NOT NULL       -- whose weights these were
);
CREATE INDEX weights_at_state ON weights_at (state);
CREATE TABLE set_by_hand (
    fingerprint TEXT PRIMARY KEY,
    record TEXT NOT NULL            -- JSON of what the user has said of the model
);
INSERT INTO identity
    SELECT fingerprint, fingerprint, NULL FROM specification
    UNION SELECT fingerprint, fingerprint, NULL FROM file WHERE fingerprint IS NOT NULL;
"""


CLAIMS = """
CREATE TABLE claim (
    what TEXT PRIMARY KEY,          -- a fingerprint, or one with what is done of it
    owner TEXT NOT NULL,            -- machine, process, and a mark of its own
    until REAL NOT NULL             -- seconds since the epoch
);
"""


SHARED_FILES = """
CREATE TABLE shared_file (
    name TEXT PRIMARY KEY,          -- with a digest of the content
    content BLOB NOT NULL           -- what was learned, of a catalog on a server
);
"""


def m001_first_schema(connection: Schema) -> None:
    _execute(connection, FIRST_SCHEMA)


def m002_spatial_maps(connection: Schema) -> None:
    _execute(connection, SPATIAL_MAPS)


def m003_identities(connection: Schema) -> None:
    _execute(connection, IDENTITIES)


def m004_columns(connection: Schema) -> None:
    """What an answer needs of all models, in rows of its own; probes once a recipe, instead of once a model."""
    _execute(connection, COLUMNS)


def m005_classifiers(connection: Schema) -> None:
    _execute(connection, CLASSIFIERS)


def m006_claims(connection: Schema) -> None:
    _execute(connection, CLAIMS)


def m007_shared_files(connection: Schema) -> None:
    _execute(connection, SHARED_FILES)


def m008_user_pictures(connection: Schema) -> None:
    _execute(connection, user_pictures.SCHEMA)


def m009_weight_sketches(connection: Schema) -> None:
    _execute(connection, weight_sketches.SCHEMA)


def m010_dora(connection: Schema) -> None:
    """DoRA is sketched with its base's weights."""
    _execute(connection, weight_sketches.DORA)


def m011_terse_rows(_: Schema) -> None:
    """Rows may be packed in fewer bytes from here on (`packing.Packing.TERSE`): earlier versions refuse such a catalog.
    Those that are there stay as they are."""


def _execute(connection: Schema, statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement)


STEPS: tuple[Step, ...] = (
    m001_first_schema,
    m002_spatial_maps,
    m003_identities,
    m004_columns,
    m005_classifiers,
    m006_claims,
    m007_shared_files,
    m008_user_pictures,
    m009_weight_sketches,
    m010_dora,
    m011_terse_rows,
)
