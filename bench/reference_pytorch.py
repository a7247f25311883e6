"""The reference's modules as PyTorch users write them, timed: a whole training step of NinA at the paper's sizes, with an
encoder of the shape of nina's state encoder, AdamW and the exponential moving average of the weights. And the gradient of
an image tower.

Optional: nothing else here needs Python. Prints one JSON line for each. Run it through compare-pytorch.mjs.
Usage: python bench/reference_pytorch.py ROUNDS THREADS
"""
import json
import math
import statistics
import sys
import time

import torch
from florence2_pytorch import NANO, Tower
from torch import nn

BATCH, STEPS, ACTION, COND = 80, 10, 7, 256
D = STEPS * ACTION


class Plu(nn.Module):
    def __init__(self):
        super().__init__()
        p, lower, upper = torch.linalg.lu(torch.linalg.qr(torch.randn(D, D)).Q)
        self.register_buffer("p", p)
        self.s = nn.Parameter(upper.diag().clone())
        self.lower = nn.Parameter(lower)
        self.upper = nn.Parameter(upper)

    def forward(self, x):
        lower = torch.tril(self.lower, -1) + torch.eye(D)
        upper = torch.triu(self.upper, 1) + torch.diag(self.s)
        return x @ (self.p @ lower @ upper), self.s.abs().log().sum()


class MlpConditioner(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()

        def net():
            return nn.Sequential(
                nn.Linear(D // 2 + COND, hidden), nn.LayerNorm(hidden), nn.GELU(),
                nn.Linear(hidden, hidden), nn.LayerNorm(hidden), nn.GELU(),
                nn.Linear(hidden, D // 2),
            )  # fmt: skip

        self.scale, self.shift = net(), net()

    def forward(self, x1, cond):
        both = torch.cat([x1, cond], -1)
        return self.scale(both), self.shift(both)


class SubBlock(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(hidden, heads, batch_first=True)
        self.cross_attn = nn.MultiheadAttention(hidden, heads, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.cond_proj = nn.Linear(COND, hidden)

    def forward(self, x, cond):
        n = self.norm1(x)
        x = x + self.self_attn(n, n, n)[0]
        token = self.cond_proj(cond)[:, None]
        return x + self.cross_attn(self.norm2(x), token, token)[0]


class TransformerConditioner(nn.Module):
    def __init__(self, hidden=256, heads=8, depth=3):
        super().__init__()

        def head():
            return nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, ACTION))

        self.input_proj = nn.Linear(ACTION, hidden)
        self.blocks = nn.ModuleList(SubBlock(hidden, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(hidden)
        self.scale, self.shift = head(), head()

    def forward(self, x1, cond):
        x = self.input_proj(x1)
        for block in self.blocks:
            x = block(x, cond)
        x = self.norm(x)
        return self.scale(x), self.shift(x)


class Flow(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        n = 28 if backbone == "mlp" else 18
        length = D if backbone == "mlp" else STEPS
        conditioner = MlpConditioner if backbone == "mlp" else TransformerConditioner
        self.conditioners = nn.ModuleList(conditioner() for _ in range(n))
        self.plu = nn.ModuleList(Plu() for _ in range(n))
        self.permutations = [torch.randperm(length) for _ in range(n)]

    def loss(self, x, cond):
        log_det = 0
        for permutation, conditioner, plu in zip(self.permutations, self.conditioners, self.plu):
            x1, x2 = x[:, permutation].chunk(2, 1)
            s, t = conditioner(x1, cond)
            s = torch.tanh(s)
            x = torch.cat([x1, x2 * torch.exp(s) + t], 1)
            y, volume = plu(x.flatten(1))
            log_det = log_det + s.flatten(1).sum(1) + volume
            x = y.reshape(x.shape)
        base = -0.5 * (x.flatten(1) ** 2 + math.log(2 * math.pi)).sum(1)
        return -(base + log_det).mean()

    def freeze(self):
        """Computes what a decode needs beside the parameters: the inverse matrices and permutations, once."""
        for i, (permutation, plu) in enumerate(zip(self.permutations, self.plu)):
            lower = torch.tril(plu.lower, -1) + torch.eye(D)
            upper = torch.triu(plu.upper, 1) + torch.diag(plu.s)
            self.register_buffer(f"inverse{i}", torch.linalg.inv(plu.p @ lower @ upper).detach())
            self.register_buffer(f"order{i}", permutation.argsort())
        return self.eval().requires_grad_(False)

    def forward(self, z, cond):
        """Noise to actions; what `freeze` returned."""
        x = z
        for i in reversed(range(len(self.conditioners))):
            y1, y2 = (x.flatten(1) @ getattr(self, f"inverse{i}")).reshape(x.shape).chunk(2, 1)
            s, t = self.conditioners[i](y1, cond)
            x = torch.cat([y1, (y2 - t) * torch.exp(-torch.tanh(s))], 1)[:, getattr(self, f"order{i}")]
        return x


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        return x + self.inner(x)


class StateEncoder(nn.Module):
    """nina's src/encoders/state/model.ts: entities that look up their mention and each other, then slots."""

    PROPRIO, FEATURES, ENTITIES, VOCABULARY, WORDS, SLOTS = 11, 25, 6, 16, 10, 4

    def __init__(self, width=64, heads=4):
        super().__init__()
        self.words = nn.Parameter(torch.randn(self.VOCABULARY, width))
        self.places = nn.Parameter(torch.randn(self.WORDS, width))
        self.robot_query = nn.Parameter(torch.randn(width))
        self.query, self.key, self.value, self.category = (nn.Linear(width, width) for _ in range(4))
        self.features, self.proprio = nn.Linear(self.FEATURES, width), nn.Linear(self.PROPRIO, width)
        self.mlp, self.block = Residual(width), Residual(width)
        self.block_norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.slots = nn.Parameter(torch.randn(self.SLOTS, width))
        self.norm = nn.LayerNorm(width)
        self.slot_key, self.slot_value = nn.Linear(width, width), nn.Linear(width, width)
        token = 4 * width
        self.readout = nn.Sequential(
            nn.Linear((self.SLOTS + 1) * width, token), nn.GELU(), nn.Linear(token, token), nn.LayerNorm(token), nn.GELU()
        )
        self.pool = nn.Linear(token, COND)

    def forward(self, batch):
        proprio, features, categories, words = batch
        said = self.words[words] + self.places
        category = categories @ self.words
        asking = torch.cat([self.robot_query.expand(len(words), 1, -1), category], 1)
        mention = nn.functional.scaled_dot_product_attention(self.query(asking), self.key(said), self.value(said))
        robot = self.proprio(proprio)[:, None]
        elements = torch.cat([robot, self.features(features) + self.category(category) + robot], 1) + mention
        x = self.mlp(elements)
        n = self.block_norm(x)
        x = self.block(x + self.attention(n, n, n, need_weights=False)[0])
        seen = nn.functional.scaled_dot_product_attention(
            self.slots.expand(len(words), -1, -1), self.slot_key(self.norm(x)), self.slot_value(elements + x)
        )
        return self.pool(self.readout(torch.cat([seen, robot], 1).flatten(1)))

    def batch(self):
        return (
            torch.randn(BATCH, self.PROPRIO),
            torch.randn(BATCH, self.ENTITIES, self.FEATURES),
            torch.rand(BATCH, self.ENTITIES, self.VOCABULARY),
            torch.randint(self.VOCABULARY, (BATCH, self.WORDS)),
        )


TOWER = {
    **NANO, "dims": [32, 64, 96, 192], "heads": [2, 4, 6, 12], "groups": [2, 4, 6, 12], "strides": [4, 2, 2, 2],
}


def time_tower(rounds):
    """Forward and backward pass of the image tower of nina's src/bench/tower.ts."""
    tower = Tower(TOWER)
    pixels = torch.randn(64, 3, TOWER["px"], TOWER["px"])
    times = []
    for i in range(rounds + 3):
        start = time.perf_counter()
        tower.zero_grad()
        tower(pixels)[0][-1].square().mean().backward()
        if i >= 3:
            times.append((time.perf_counter() - start) * 1e3)
    row = {"backbone": "image tower", "min_ms": min(times), "median_ms": statistics.median(times)}
    row["parameters"] = sum(p.numel() for p in tower.parameters())
    print(json.dumps({**row, "torch": torch.__version__}), flush=True)


def main():
    rounds, threads = int(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    time_tower(rounds)
    for backbone in ("mlp", "trans"):
        model = nn.ModuleDict({"encoder": StateEncoder(), "flow": Flow(backbone)})
        parameters = list(model.parameters())
        optimizer = torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.95), weight_decay=0.05)
        average = [p.detach().clone() for p in parameters]
        shape = (BATCH, D) if backbone == "mlp" else (BATCH, STEPS, ACTION)
        times = []
        for i in range(rounds + 3):
            # A loader makes the batch of the next step meanwhile: it is not timed.
            seen, actions = model["encoder"].batch(), torch.tanh(torch.randn(shape))
            start = time.perf_counter()
            optimizer.zero_grad()
            x = (actions + 0.03 * torch.randn(shape)).clamp(-1, 1)
            loss = model["flow"].loss(x, model["encoder"](seen))
            loss.backward()
            norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
            if not torch.isfinite(norm):
                raise SystemExit("the gradient is not finite")
            optimizer.step()
            with torch.no_grad():
                torch._foreach_lerp_(average, parameters, 1e-3)
            if i >= 3:
                times.append((time.perf_counter() - start) * 1e3)
        row = {"backbone": backbone, "min_ms": min(times), "median_ms": statistics.median(times)}
        row["parameters"] = sum(p.numel() for p in parameters)
        print(json.dumps({**row, "torch": torch.__version__}), flush=True)


if __name__ == "__main__":
    main()
