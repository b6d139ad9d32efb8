"""The classifiers of "Hyperbolic genome embeddings" in PyTorch, as a peer for `embranch bench classifier`.

Points have their time coordinate first, feature maps are [batch, length, channels], and layers do what is published in
the order that it is published in: windows are unfolded and concatenated, a dense layer computes the time that it
throws away, batch normalisation takes the logarithm, transports it to the origin and on to the learned centre, and
takes the exponential. Distance and transport are the closed forms without arcosh; everything is float32.

Reads commands from standard input, one JSON object a line, and answers each with one line of JSON:
  {"do": "train", "steps": n}  ->  {"seconds": [...], "losses": [...]}   steps of one batch
  {"do": "load", "parameters": {path: [...]}, "tokens": [[...]], "labels": [...]}  ->  {}   our weights, and a batch
  {"do": "forward"}            ->  {"logits": [[...]]}   of the batch, by the running statistics
The first line of output says which version answers, and how many numbers the network learns without its curvatures.
Arguments: threads, length, network (cnn, hcnn, hcnn-multi), sequences in a batch.
"""

import json
import math
import os
import sys
import time

# Read when the libraries are loaded. OpenBLAS has threads of its own; those of OpenMP would wait in a loop, and
# on a busy machine take the cores from those that work: steps took five times as long.
os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[1]
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import torch
from torch import nn
from torch.nn import functional as F

LETTERS, CLASSES = 4, 2
CHANNELS, HIDDEN, KERNEL, BLOCKS = 32, 528, 9, 3
RATE, DECAY, CENTRE_DECAY = 1e-4, 0.1, 5e-4
MOMENTUM, EPSILON = 0.1, 1e-5
# Squared lengths of tangent vectors are at least the first, lengths in units of the radius at most the second.
SHORTEST, LONGEST = 1e-8, 10.0


def one_hot(tokens):
    """Letters and N as one-hot rows, padding as zeros."""
    return F.one_hot(tokens, LETTERS + 2)[..., : LETTERS + 1].float()


# The hyperboloid of radius² k: x, y are points, u, v tangent vectors, [..., 1 + channels].


def point(space, k):
    """The point with these space coordinates."""
    return torch.cat([(space.square().sum(-1, keepdim=True) + k).sqrt(), space], -1)


def inner(u, v):
    """The Lorentz product of rows, [..., 1]; v may be one vector."""
    if v.dim() == 1:
        return (u @ torch.cat([-v[:1], v[1:]])).unsqueeze(-1)
    return (u[..., 1:] * v[..., 1:]).sum(-1, keepdim=True) - u[..., :1] * v[..., :1]


def origin(channels, k):
    return F.pad(k.sqrt().view(1), (0, channels - 1))


def log(x, y, k):
    """log_x(y), with the distance as log1p."""
    t = (inner(y - x, y - x) / (2 * k)).clamp_min(SHORTEST)
    sinh = (t * (t + 2)).sqrt()
    return (y - (1 + t) * x) * (torch.log1p(t + sinh) / sinh)


def exp(x, u, k):
    unit = k.sqrt()
    length = inner(u, u).clamp_min(SHORTEST).sqrt() / unit
    step = length.clamp_max(LONGEST)
    return point((step.cosh() * x + step.sinh() / length * u)[..., 1:], k)


def transport(x, y, v, k):
    return v + inner(v, y) / (k - inner(x, y)) * (x + y)


def log0(x, k):
    """Space coordinates of log_o(x)."""
    unit, space = k.sqrt(), x[..., 1:]
    length = space.norm(dim=-1, keepdim=True).clamp_min(1e-7) / unit
    return space * (torch.asinh(length) / length)


def exp0(u, k):
    length = u.norm(dim=-1, keepdim=True).clamp_min(1e-7) / k.sqrt()
    return point(u * (length.clamp_max(LONGEST).sinh() / length), k)


def centroid(mean, k):
    """The centroid of points whose coordinates have this mean."""
    return mean * (k / -inner(mean, mean).clamp_max(-SHORTEST)).sqrt()


def relu(x, k):
    return point(F.relu(x[..., 1:]), k)


class Linear(nn.Linear):
    """All coordinates in; the time of what comes out is computed anew."""

    def reset_parameters(self):
        nn.init.uniform_(self.weight, -0.02, 0.02)
        nn.init.zeros_(self.bias)

    def forward(self, x, k):
        return point(super().forward(x)[..., 1:], k)


class Conv(nn.Module):
    """A dense layer of each window, whose points become one by concatenation; origins beyond the ends."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = Linear((inputs - 1) * KERNEL + 1, outputs)

    def forward(self, x, k):
        ends = KERNEL // 2
        padded = F.pad(x, (0, 0, ends, ends))
        times = torch.maximum(padded[..., :1], k.sqrt()).square().unfold(1, KERNEL, 1)
        spaces = padded[..., 1:].unfold(1, KERNEL, 1).flatten(2)
        return self.linear(torch.cat([(times.sum(-1) - (KERNEL - 1) * k).sqrt(), spaces], -1), k)


class Norm(nn.Module):
    """Moves the mean to a learned centre, and makes the mean distance from it the learned gain."""

    def __init__(self, channels):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.register_buffer("mean", torch.zeros(channels - 1))
        self.register_buffer("distance", torch.ones(1))

    def forward(self, x, centre, k):
        zero = origin(x.shape[-1], k)
        if self.training:
            mu = centroid(centroid(x.mean(1), k).mean(0), k)
        else:
            mu = exp0(self.mean, k)
        tangent = transport(mu, zero, log(mu, x, k), k)
        distance = tangent.norm(dim=-1).mean() if self.training else self.distance
        scaled = tangent * (self.gain / (distance + EPSILON))
        if self.training:
            self.track(mu.detach(), distance.detach(), k.detach())
        return exp(centre, transport(zero, centre, scaled, k), k)

    @torch.no_grad()
    def track(self, mu, distance, k):
        self.mean.copy_(log0(centroid(torch.lerp(exp0(self.mean, k), mu, MOMENTUM), k), k))
        self.distance.lerp_(distance, MOMENTUM)


class Logits(nn.Module):
    """Multinomial logistic regression: signed distances from hyperplanes, times the normals' lengths."""

    def __init__(self, channels, classes):
        super().__init__()
        bound = 1 / math.sqrt(channels)
        self.offset = nn.Parameter(torch.empty(classes).uniform_(-bound, bound))
        self.normal = nn.Parameter(torch.empty(classes, channels).uniform_(-bound, bound))

    def forward(self, x, k):
        unit, length = k.sqrt(), self.normal.norm(dim=-1)
        place = self.offset / unit
        alpha = place.cosh() * F.linear(x[..., 1:], self.normal) - place.sinh() * length * x[..., :1]
        return unit * length * torch.asinh(alpha / (unit * length))


class Hyperbolic(nn.Module):
    """Three blocks of two convolutions, a dense layer of all positions, and one of the classes."""

    def __init__(self, length, curvatures):
        super().__init__()
        self.curvature = nn.Parameter(torch.zeros(curvatures))  # log k
        self.convs = nn.ModuleList(
            Conv(LETTERS + 2 if i == 0 else CHANNELS, CHANNELS) for i in range(2 * BLOCKS)
        )
        self.norms = nn.ModuleList(Norm(CHANNELS) for _ in range(2 * BLOCKS))
        # In one tensor, so that the optimiser moves all of them at once.
        self.centres = nn.Parameter(F.pad(torch.ones(2 * BLOCKS, 1), (0, CHANNELS - 1)))
        self.hidden = Linear((CHANNELS - 1) * length + 1, HIDDEN)
        self.classes = Logits(HIDDEN - 1, CLASSES)

    def radii(self):
        """k of each block and of the dense layer."""
        k = self.curvature.exp()
        return k.expand(BLOCKS + 1).unbind() if len(k) == 1 else k.unbind()

    def forward(self, tokens):
        radii = self.radii()
        x = point(one_hot(tokens), radii[0])
        layers = list(zip(self.convs, self.norms, self.centres))
        for i in range(BLOCKS):
            k, skip = radii[i], x
            for j, (conv, norm, centre) in enumerate(layers[2 * i : 2 * i + 2]):
                x = norm(conv(relu(x, k) if j > 0 else x, k), centre, k)
            if i > 0:
                x = point(x[..., 1:] + skip[..., 1:], k)
            x = relu(x, k)
            if len(self.curvature) > 1:
                x = exp0(log0(x, k), radii[i + 1])
        k = radii[-1]
        times = (x[..., 0].square().sum(-1, keepdim=True) - (x.shape[1] - 1) * k).sqrt()
        flat = torch.cat([times, x[..., 1:].flatten(1)], -1)
        return self.classes(relu(self.hidden(flat, k), k), k)

    @torch.no_grad()
    def load(self, parameters):
        """Our weights: maps of space coordinates, without the rows that make the time."""
        radii = sorted(name for name in parameters if name.startswith("curvature"))
        self.curvature.copy_(torch.cat([parameters[name] for name in radii]))
        k = torch.stack(self.radii()[:BLOCKS]).repeat_interleave(2).unsqueeze(-1)
        self.centres.copy_(parameters["centres"].view(2 * BLOCKS, CHANNELS) * k.sqrt())
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            block, layer = f"blocks.{i // 2}", i % 2 + 1
            space = parameters[f"{block}.conv{layer}.weight"].view(CHANNELS - 1, -1)
            fill(conv.linear, parameters, f"{block}.conv{layer}", space)
            norm.gain.copy_(parameters[f"{block}.gain{layer}"])
        weight = parameters["hidden.weight"].view(CHANNELS - 1, -1, HIDDEN - 1)
        fill(self.hidden, parameters, "hidden", weight.transpose(0, 1).reshape(-1, HIDDEN - 1).T)
        self.classes.normal.copy_(parameters["classes.normal"].view(-1, CLASSES).T)
        self.classes.offset.copy_(parameters["classes.offset"])


def fill(linear, parameters, path, space):
    linear.weight[1:].copy_(torch.cat([parameters[f"{path}.time"].unsqueeze(-1), space], -1))
    linear.bias[1:].copy_(parameters[f"{path}.bias"])


class Euclidean(nn.Module):
    """The same network of ordinary layers."""

    def __init__(self, length):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv1d(LETTERS + 1 if i == 0 else CHANNELS, CHANNELS, KERNEL, padding=KERNEL // 2)
            for i in range(2 * BLOCKS)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(CHANNELS) for _ in range(2 * BLOCKS))
        self.hidden = nn.Linear(CHANNELS * length, HIDDEN)
        self.classes = nn.Linear(HIDDEN, CLASSES)

    def forward(self, tokens):
        x = one_hot(tokens).transpose(1, 2)
        for i in range(0, 2 * BLOCKS, 2):
            skip = x
            x = F.relu(self.norms[i](self.convs[i](x)))
            x = self.norms[i + 1](self.convs[i + 1](x))
            x = F.relu(x if i == 0 else x + skip)
        return self.classes(F.relu(self.hidden(x.flatten(1))))

    @torch.no_grad()
    def load(self, parameters):
        """Our weights, of convolutions without biases."""
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            block, layer = f"body.block{i // 2 + 1}", i % 2 + 1
            conv.weight.copy_(parameters[f"{block}.conv{layer}.weight"].view_as(conv.weight))
            conv.bias.zero_()
            norm.weight.copy_(parameters[f"{block}.norm{layer}.gain"])
            norm.bias.copy_(parameters[f"{block}.norm{layer}.bias"])
        for linear, path in ((self.hidden, "body.hidden"), (self.classes, "classes")):
            linear.weight.copy_(parameters[f"{path}.weight"].view(-1, linear.out_features).T)
            linear.bias.copy_(parameters[f"{path}.bias"])


class RiemannianAdam(torch.optim.Optimizer):
    """Adam along the hyperboloids that the rows of one parameter are points of; `radii` gives their k, [rows, 1]."""

    def __init__(self, parameters, radii, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(parameters, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))
        self.radii = radii

    @torch.no_grad()
    def step(self):
        k = self.radii()
        for group in self.param_groups:
            for x in group["params"]:
                self.move(x, k, self.state[x], **group)

    def move(self, x, k, state, lr, betas, eps, weight_decay, **_):
        if not state:
            state.update(step=0, mean=torch.zeros_like(x), square=torch.zeros_like(x[..., :1]))
        state["step"] += 1
        x.copy_(point(x[..., 1:], k))
        gradient = x.grad.add(x, alpha=weight_decay)
        gradient[..., 0].neg_()
        gradient.add_(inner(x, gradient) * x / k)
        mean = state["mean"].lerp_(gradient, 1 - betas[0])
        square = state["square"].lerp_(inner(gradient, gradient).clamp_min(0), 1 - betas[1])
        root = (square / (1 - betas[1] ** state["step"])).sqrt().add_(eps)
        moved = exp(x, mean / root * (-lr / (1 - betas[0] ** state["step"])), k)
        mean.copy_(transport(x, moved, mean, k))
        mean.add_(inner(moved, mean) * moved / k)
        x.copy_(moved)


def optimizers_of(network):
    if isinstance(network, Euclidean):
        return [torch.optim.Adam(network.parameters(), lr=RATE, weight_decay=DECAY)]
    apart = (network.curvature, network.centres)
    rest = [each for each in network.parameters() if all(each is not other for other in apart)]
    groups = [{"params": rest, "weight_decay": DECAY}, {"params": [network.curvature]}]

    def radii():
        return torch.stack(network.radii()[:BLOCKS]).repeat_interleave(2).unsqueeze(-1)

    return [
        torch.optim.Adam(groups, lr=RATE),
        RiemannianAdam([network.centres], radii, lr=RATE, weight_decay=CENTRE_DECAY),
    ]


def step(network, optimizers, tokens, labels):
    network.train()
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(network(tokens), labels)
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
    return loss.item()


def main():
    threads, length, name, batch = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    networks = {
        "cnn": Euclidean,
        "hcnn": lambda length: Hyperbolic(length, 1),
        "hcnn-multi": lambda length: Hyperbolic(length, BLOCKS + 1),
    }
    network = networks[name](length)
    optimizers = optimizers_of(network)
    tokens = torch.randint(0, LETTERS, (batch, length))
    labels = torch.randint(0, CLASSES, (batch,))

    learned = sum(each.numel() for path, each in network.named_parameters() if path != "curvature")
    version = f"PyTorch {torch.__version__}, {threads} threads"
    print(json.dumps({"version": version, "parameters": learned}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        answer = {}
        if command["do"] == "train":
            answer = {"seconds": [], "losses": []}
            for _ in range(command["steps"]):
                start = time.perf_counter()
                answer["losses"].append(step(network, optimizers, tokens, labels))
                answer["seconds"].append(time.perf_counter() - start)
        elif command["do"] == "load":
            network.load({path: torch.tensor(values) for path, values in command["parameters"].items()})
            tokens, labels = torch.tensor(command["tokens"]), torch.tensor(command["labels"])
        else:
            network.eval()
            with torch.no_grad():
                answer = {"logits": network(tokens).tolist()}
        print(json.dumps(answer), flush=True)


main()
