"""Gromov's delta of a condensed distance matrix in a .npy file, by NumPy or PyTorch, one thread."""

import json
import sys
import time

import numpy as np

package, path = sys.argv[1:]
condensed = np.load(path).astype(np.float32)
n = int(round((1 + np.sqrt(1 + 8 * len(condensed))) / 2))
square = np.zeros((n, n), np.float32)
square[np.triu_indices(n, 1)] = condensed
square += square.T

if package == "torch":
    import torch

    torch.set_num_threads(1)
    version = torch.__version__
    square = torch.from_numpy(square)

    def from_base(p):
        a = square[p][:, None] + square[p][None, :] - square
        product = torch.stack([torch.minimum(row[None, :], a).amax(1) for row in a])
        return float((product - a).max())
else:
    version = np.__version__

    def from_base(p):
        a = square[p][:, None] + square[p][None, :] - square
        product = np.stack([np.minimum(row[None, :], a).max(1) for row in a])
        return float((product - a).max())


print(json.dumps({"version": f"{package} {version}"}), flush=True)
for line in sys.stdin:
    bases = json.loads(line)["bases"]
    start = time.perf_counter()
    deltas = [from_base(p) / 2 for p in bases]
    print(json.dumps({"seconds": time.perf_counter() - start, "deltas": deltas}), flush=True)
