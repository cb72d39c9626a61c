"""How large a number, and how long a text of somebody else's, may be: every cap stands here once.

A collector's answer is held to these caps when it is read, and a report when it is written, so
what lies between them (messages, both ledgers) never meets a larger one.
"""

from __future__ import annotations

#: Largest count, and largest size of any other number, that a collector may state. Below 2**53, so
#: that every JSON reader takes it exactly. 9,000 such counts still add up to a signed 64-bit
#: integer, the largest that Firestore and SQLite store.
MAX_NUMBER = 10**15

#: Largest integer that every store holds. What is added up stops here.
MAX_STORED = 2**63 - 1

#: Most characters of a sentence that are kept: an error's message, a reason, a progress report.
MAX_TEXT_CHARS = 500

#: Most characters of a body without an ``error`` that stand in for the message.
MAX_BODY_CHARS = 300

#: Most characters of a short word: a kind of error, a tag, the name of a metric.
MAX_WORD_CHARS = 100

#: Most characters of a revision. A longer one breaks the contract: cut, it would never match.
MAX_REVISION_CHARS = 500

#: Most warnings of an answer; a last one says how many were left out.
MAX_WARNINGS = 20

#: Most characters of one warning, and of the text of one metric.
MAX_WARNING_CHARS = 300

#: Most warnings that fanfold itself adds to an answer.
MAX_OWN_WARNINGS = 10

#: Most lines of its log that an answer may bring, and most bytes of them in UTF-8: the last ones.
MAX_LOG_LINES = 20
MAX_LOG_BYTES = 4_000

#: Most columns of a schema that an answer may state, and most bytes of a schema that is remembered
#: by its columns, as compact JSON. A larger one is remembered by its digest.
MAX_COLUMNS = 2_000
MAX_SCHEMA_BYTES = 2_000

#: Most artifacts of an answer.
MAX_ARTIFACTS = 50

#: Most characters of one artifact: an address, as a rule.
MAX_ARTIFACT_CHARS = 1000

#: Most metrics of an answer.
MAX_METRICS = 50

#: Most characters of a value that a sentence about it shows.
MAX_SHOWN_CHARS = 60
