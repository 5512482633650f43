"""The tables of `catalog.classifiers`: a step of `migrations`, so never edited once it was released."""

CLASSIFIERS = """
CREATE TABLE classifier_file (
    path TEXT PRIMARY KEY,
    fingerprint TEXT,               -- NULL: could not be read
    kind TEXT,
    stamp TEXT NOT NULL,
    record TEXT NOT NULL,           -- JSON of the ClassifierFile or SkippedFile
    failure TEXT                    -- why it could not be probed
);
CREATE TABLE classifier_probes (
    digest TEXT PRIMARY KEY,
    record TEXT NOT NULL            -- JSON: where each picture comes from, in order
);
CREATE TABLE classifier_probe_feature (
    digest TEXT NOT NULL,
    encoder TEXT NOT NULL,
    features BLOB NOT NULL,         -- float16 (n, D), of the probes
    PRIMARY KEY (digest, encoder)
);
CREATE TABLE classifier_descriptor (
    fingerprint TEXT NOT NULL,
    digest TEXT NOT NULL,
    unit TEXT NOT NULL,             -- what turns a response back into what the model says
    note TEXT NOT NULL,             -- what to know of these responses; empty where all is well
    outputs BLOB NOT NULL,          -- int32 (L,), numbers within the model
    signs BLOB NOT NULL,            -- int8 (L,), -1: the output turned round
    width INTEGER NOT NULL,         -- r
    probes BLOB NOT NULL,           -- uint16 (L, r), the most exciting first
    z BLOB NOT NULL,                -- float16 (L, r)
    mean BLOB NOT NULL,             -- float32 (L,)
    deviation BLOB NOT NULL,        -- float32 (L,)
    PRIMARY KEY (fingerprint, digest)
);
CREATE TABLE classifier_background (
    fingerprint TEXT NOT NULL,
    digest TEXT NOT NULL,
    encoder TEXT NOT NULL,
    hubs BLOB NOT NULL,             -- float32 (L,): mean of the nearest background concepts' distances
    best BLOB NOT NULL,             -- float32 (B,): how near each background concept's best output is, calibrated
    PRIMARY KEY (fingerprint, digest, encoder)
);
"""
