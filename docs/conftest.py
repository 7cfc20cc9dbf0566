"""What is not collected, and where the modules of the documentation are."""

from __future__ import annotations

import sys
from pathlib import Path

collect_ignore = ["conf.py", "gallery_parts.py"]  # need Sphinx, and are run by the build
collect_ignore_glob = ["_build/*", "examples/*", "gallery/*", "fiches/*", "made/*"]  # same
sys.path.insert(0, str(Path(__file__).parent))  # the page modules import one another
