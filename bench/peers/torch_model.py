"""The papers' convolutional network in PyTorch, as a peer for `embranch bench`.

Reads commands from standard input, one JSON object a line, and answers each with one line of JSON:
  {"do": "train", "steps": n}   ->  {"seconds": [...]}   one training step of 128 pairs each
  {"do": "embed", "runs": n}    ->  {"seconds": [...]}   one pass over all tokens each
The first line of output says which version answers. Arguments: threads, length n, sequences to embed.
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

threads, length, count = (int(argument) for argument in sys.argv[1:4])
torch.set_num_threads(threads)
torch.manual_seed(0)
CHANNELS, DIM, PAIRS = 32, 128, 128


class Network(nn.Module):
    """Pointwise linear; four times convolution, batch norm, ReLU and pooling; linear; learned radius and scale."""

    def __init__(self):
        super().__init__()
        self.letter = nn.Linear(4, CHANNELS)
        self.convs = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(4))
        self.norms = nn.ModuleList(nn.BatchNorm1d(CHANNELS) for _ in range(4))
        self.readout = nn.Linear(CHANNELS * (length // 16), DIM)
        self.radius = nn.Parameter(torch.tensor(0.01))
        self.scale = nn.Parameter(torch.tensor(1.0))

    def embed(self, tokens):
        x = self.letter(F.one_hot(tokens, 4).float()).transpose(1, 2)
        for conv, norm in zip(self.convs, self.norms):
            x = F.avg_pool1d(torch.relu(norm(conv(x))), 2)
        return F.normalize(self.readout(x.flatten(1)))

    def forward(self, tokens):
        u, v = self.embed(tokens).chunk(2)
        chord = ((u - v) ** 2).sum(-1).add(1e-12).sqrt()
        return self.scale * 2 * torch.asinh(chord * self.radius / (1 - self.radius**2))


network = Network()
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
pairs = torch.randint(0, 4, (2 * PAIRS, length))
labels = torch.rand(PAIRS) * 0.5
tokens = torch.randint(0, 4, (count, length))


def train():
    network.train()
    optimizer.zero_grad()
    loss = ((network(pairs) - labels) ** 2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def embed():
    network.eval()
    with torch.no_grad():
        for batch in tokens.split(512):
            network.embed(batch)


print(json.dumps({"version": f"PyTorch {torch.__version__}, {threads} threads"}), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    task, runs = (train, command["steps"]) if command["do"] == "train" else (embed, command["runs"])
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": seconds}), flush=True)
