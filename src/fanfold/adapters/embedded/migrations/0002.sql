-- What is paused, and was: few rows, in the order in which they began.
CREATE TABLE pause (
    position INTEGER PRIMARY KEY,
    document TEXT NOT NULL
) STRICT;
