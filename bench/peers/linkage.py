"""Agglomerative linkage by a Python package, as a peer for `embranch bench tree`.

Arguments: package (fastcluster | scipy), .npy file of a condensed distance matrix.
For every method read from standard input as {"method": name} the matrix is linked once more; the answer is one line
of JSON: {"seconds": s, "heights": the .npy file they were written to}. Copying the matrix is not timed.
"""

import json
import sys
import time

import numpy as np

package, path = sys.argv[1], sys.argv[2]
if package == "fastcluster":
    import fastcluster as module

    version = module.__version__

    def link(distances, method):
        return module.linkage(distances, method=method, preserve_input=False)
else:
    import scipy
    from scipy.cluster.hierarchy import linkage as link

    version = scipy.__version__

distances = np.load(path).astype(np.float64)
print(json.dumps({"version": f"{package} {version}"}), flush=True)
for line in sys.stdin:
    method = json.loads(line)["method"]
    copy = distances.copy()
    start = time.perf_counter()
    merges = link(copy, method)
    seconds = time.perf_counter() - start
    heights = f"{path}.{package}.{method}.npy"
    np.save(heights, np.ascontiguousarray(merges[:, 2]))
    print(json.dumps({"seconds": seconds, "heights": heights}), flush=True)
