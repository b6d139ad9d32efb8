"""Edit distances by a Python package, as a peer for `embranch bench`.

Arguments: package (edlib | Levenshtein), file of sequences (one a line), how many of them.
For every line read from standard input all pairs of these are computed once more; the answer is one line of
JSON: {"seconds": s, "sum": total of all distances}.
"""

import importlib
import itertools
import json
import sys
import time

package, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
module = importlib.import_module(package)
with open(path, encoding="ascii") as lines:
    sequences = lines.read().split()[:count]
pairs = list(itertools.combinations(sequences, 2))

if package == "edlib":
    align = module.align

    def distance(a, b):
        return align(a, b, task="distance")["editDistance"]
else:
    distance = module.distance

print(json.dumps({"version": f"{package} (Python) {getattr(module, '__version__', '')}".strip()}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    total = sum(distance(a, b) for a, b in pairs)
    print(json.dumps({"seconds": time.perf_counter() - start, "sum": total}), flush=True)
