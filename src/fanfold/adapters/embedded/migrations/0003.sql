-- Jobs that wait for the source behind their collector, and what is known of each source.
ALTER TABLE job ADD COLUMN wait TEXT;
ALTER TABLE job ADD COLUMN waits_for TEXT;
CREATE INDEX job_waiting ON job (waits_for) WHERE waits_for IS NOT NULL;

CREATE TABLE upstream (
    name     TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
