"""``python -m fanfold``."""

from __future__ import annotations

import sys

from fanfold.cli import main

sys.exit(main())
