"""Set before scikit-learn is imported, so that none of its checks is skipped."""

import os

os.environ.setdefault("SCIPY_ARRAY_API", "1")
