-- The embedded backend's one file. Instants are microseconds since 1970 UTC; documents are JSON as
-- fanfold.records writes it. The version is PRAGMA user_version; migrations/ holds the way here
-- from each older version.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A run: what is fixed is in document, what moves has columns.
CREATE TABLE run (
    run_id        TEXT PRIMARY KEY,
    writer        TEXT NOT NULL,
    start_time    INTEGER NOT NULL,
    deadline      INTEGER NOT NULL,
    document      TEXT NOT NULL,
    phase         TEXT NOT NULL,
    dispatched_at INTEGER,
    announced_at  INTEGER,
    verdict       TEXT,
    about         TEXT NOT NULL DEFAULT '',
    summary       TEXT,
    end_time      INTEGER,
    revision      INTEGER NOT NULL DEFAULT 0,
    report        TEXT,
    expires_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_start ON run (start_time);
CREATE INDEX run_unannounced ON run (start_time) WHERE announced_at IS NULL;

CREATE TABLE manifest (
    run_id    TEXT NOT NULL,
    collector TEXT NOT NULL,
    position  INTEGER NOT NULL,
    asked     INTEGER NOT NULL,
    document  TEXT NOT NULL,
    PRIMARY KEY (run_id, collector)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    run_id         TEXT NOT NULL,
    collector      TEXT NOT NULL,
    published_at   INTEGER NOT NULL,
    deadline       INTEGER NOT NULL,
    fence          INTEGER NOT NULL DEFAULT 0,
    started        INTEGER NOT NULL DEFAULT 0,
    attempts       TEXT NOT NULL DEFAULT '[]',
    holder         TEXT,
    taken_at       INTEGER,
    leased_until   INTEGER,
    not_before     INTEGER,
    accepted_until INTEGER,
    progress       TEXT,
    answered       INTEGER NOT NULL DEFAULT 0,
    wait           TEXT,
    waits_for      TEXT,
    PRIMARY KEY (run_id, collector)
) STRICT, WITHOUT ROWID;
-- What a run still waits for; and what a dead process held.
CREATE INDEX job_open ON job (run_id) WHERE answered = 0;
CREATE INDEX job_held ON job (holder) WHERE holder IS NOT NULL;
-- Who waits for the source behind its collector: waits_for is its name, while the wait lasts.
CREATE INDEX job_waiting ON job (waits_for) WHERE waits_for IS NOT NULL;

-- What is known of a source: calls under way, calls of the last minute, failures in a row.
CREATE TABLE upstream (
    name     TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The set that the join counts: created once, never changed.
CREATE TABLE answer (
    run_id    TEXT NOT NULL,
    collector TEXT NOT NULL,
    writer    TEXT NOT NULL,
    document  TEXT NOT NULL,
    PRIMARY KEY (run_id, collector)
) STRICT, WITHOUT ROWID;

-- The job knows when its collector has an answer, from the very statement that stores it.
CREATE TRIGGER answer_ends_job AFTER INSERT ON answer BEGIN
    UPDATE job SET answered = 1, holder = NULL, taken_at = NULL, leased_until = NULL
    WHERE run_id = NEW.run_id AND collector = NEW.collector;
END;

CREATE TABLE late (
    run_id      TEXT NOT NULL,
    collector   TEXT NOT NULL,
    writer      TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    document    TEXT NOT NULL,
    PRIMARY KEY (run_id, collector, writer)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
    collector TEXT NOT NULL,
    end_time  INTEGER NOT NULL,
    run_id    TEXT NOT NULL,
    document  TEXT NOT NULL,
    PRIMARY KEY (collector, end_time, run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letter (
    letter_id    TEXT PRIMARY KEY,
    subscription TEXT NOT NULL,
    reason       TEXT NOT NULL,
    data         BLOB NOT NULL,
    attributes   TEXT NOT NULL,
    received_at  INTEGER NOT NULL,
    replayed_at  INTEGER
) STRICT;

-- What is paused, and was: few rows, in the order in which they began.
CREATE TABLE pause (
    position INTEGER PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;

-- The bus: one row for each message and subscription that has not acknowledged it.
CREATE TABLE queued (
    position     INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription TEXT NOT NULL,
    message_id   TEXT NOT NULL,
    event_id     TEXT,
    data         BLOB NOT NULL,
    attributes   TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    visible_at   INTEGER NOT NULL,
    attempt      INTEGER NOT NULL DEFAULT 0,
    holder       TEXT,
    last_error   TEXT
) STRICT;
CREATE INDEX queued_waiting ON queued (subscription, visible_at, position);
CREATE INDEX queued_held ON queued (subscription) WHERE holder IS NOT NULL;
-- One waiting copy of an event is enough: publishing it again while it waits changes nothing.
CREATE UNIQUE INDEX queued_once ON queued (subscription, event_id) WHERE event_id IS NOT NULL;
