"""Florence-2's encoder as FLOWER and NinA use it, as PyTorch users write it: image tower (DaViT), projector, BART encoder.

Its parameters have transformers' names without the prefix `model.`. Windows are padded, as in the reference.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

BASE = dict(
    px=112, dims=[128, 256, 512, 1024], heads=[4, 8, 16, 32], groups=[4, 8, 16, 32], depths=[1, 1, 9, 1],
    strides=[4, 2, 2, 2], window=12, d=768, layers=6, enc_heads=12, ffn=3072, vocab=51289, positions=1024,
)
LARGE = {
    **BASE, "dims": [256, 512, 1024, 2048], "heads": [8, 16, 32, 64], "groups": [8, 16, 32, 64], "d": 1024, "layers": 12,
    "enc_heads": 16, "ffn": 4096,
}
NANO = dict(
    px=112, dims=[24, 48, 96, 128], heads=[1, 2, 4, 4], groups=[1, 2, 4, 4], depths=[1, 1, 2, 1],
    strides=[4, 2, 2, 1], window=7, d=192, layers=2, enc_heads=6, ffn=768, vocab=1024, positions=256,
)


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)


class WindowAttention(Attention):
    def forward(self, x, side, heads, window):
        m, _, c = x.shape
        more = -side % window
        x = F.pad(x.view(m, side, side, c), (0, 0, 0, more, 0, more))
        n = (side + more) // window
        x = x.view(m, n, window, n, window, c).transpose(2, 3).reshape(m * n * n, window * window, c)
        q, k, v = self.qkv(x).view(len(x), -1, 3, heads, c // heads).permute(2, 0, 3, 1, 4)
        x = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = self.proj(x).view(m, n, n, window, window, c).transpose(2, 3).reshape(m, side + more, side + more, c)
        return x[:, :side, :side].reshape(m, side * side, c)


class ChannelAttention(Attention):
    def forward(self, x, groups):
        m, n, c = x.shape
        q, k, v = self.qkv(x).view(m, n, 3, groups, c // groups).permute(2, 0, 3, 4, 1)
        shares = (q @ k.transpose(-1, -2) * n**-0.5).softmax(-1)
        return self.proj((shares @ v).permute(0, 3, 1, 2).reshape(m, n, c))


class Feedforward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, name, attention):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm1 = nn.LayerNorm(width)
        self.add_module(name, attention(width))
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm2 = nn.LayerNorm(width)
        self.ffn = Feedforward(width)
        self.attention = name

    def forward(self, x, side, *options):
        def convolved(conv):
            m, n, c = x.shape
            return x + conv(x.transpose(1, 2).view(m, c, side, side)).flatten(2).transpose(1, 2)

        x = convolved(self.conv1)
        x = x + getattr(self, self.attention)(self.norm1(x), *options)
        x = convolved(self.conv2)
        return x + self.ffn(self.norm2(x))


class Stem(nn.Module):
    def __init__(self, width, before, kernel, stride, first):
        super().__init__()
        self.conv = nn.Conv2d(before, width, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(width if first else before)
        self.first = first

    def forward(self, x):
        """Pictures [M, 3, P, P], or tokens [M, N, C] of a square map, to tokens and their side."""
        if not self.first:
            m, n, c = x.shape
            x = self.norm(x).transpose(1, 2).view(m, c, math.isqrt(n), math.isqrt(n))
        x = self.conv(x)
        side = x.shape[-1]
        x = x.flatten(2).transpose(1, 2)
        return (self.norm(x) if self.first else x), side


class Tower(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [3, *c["dims"]]
        self.convs = nn.ModuleList(
            Stem(widths[s + 1], widths[s], 3 if s else 7, c["strides"][s], s == 0) for s in range(4)
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                nn.ModuleDict({
                    "spatial_block": Block(width, "window_attn", WindowAttention),
                    "channel_block": Block(width, "channel_attn", ChannelAttention),
                })
                for _ in range(depth)
            )
            for width, depth in zip(c["dims"], c["depths"])
        )
        self.c = c

    def forward(self, x):
        """The ends of the stages, [M, N, C] each, and their beginnings."""
        embeds, ends = [], []
        for s, (stem, blocks) in enumerate(zip(self.convs, self.blocks)):
            x, side = stem(x)
            embeds.append(x)
            for pair in blocks:
                x = pair["spatial_block"](x, side, side, self.c["heads"][s], self.c["window"])
                x = pair["channel_block"](x, side, self.c["groups"][s])
            ends.append(x)
        return ends, embeds


class Places(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.row_embeddings = nn.Embedding(50, width // 2)
        self.column_embeddings = nn.Embedding(50, width - width // 2)

    def forward(self, side):
        rows, columns = self.row_embeddings.weight[:side], self.column_embeddings.weight[:side]
        both = [columns.expand(side, side, -1), rows[:, None].expand(side, side, -1)]
        return torch.cat(both, -1).flatten(0, 1)


class Projector(nn.Module):
    def __init__(self, width, d):
        super().__init__()
        self.image_projection = nn.Linear(width, d, bias=False)
        self.image_proj_norm = nn.LayerNorm(d)
        self.image_position_embed = Places(width)
        self.register_buffer("time", torch.arange(width) % 2.0, persistent=False)

    def forward(self, x):
        x = x + self.image_position_embed(math.isqrt(x.shape[1])) + self.time.to(x.dtype)
        return self.image_proj_norm(self.image_projection(torch.cat([x.mean(1, keepdim=True), x], 1)))


class SelfAttention(nn.Module):
    def __init__(self, d):
        super().__init__()
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            self.add_module(name, nn.Linear(d, d))

    def forward(self, x, heads, mask):
        b, s, d = x.shape
        q, k, v = (f(x).view(b, s, heads, -1).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj))
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).reshape(b, s, d))


class Layer(nn.Module):
    def __init__(self, d, ffn):
        super().__init__()
        self.self_attn = SelfAttention(d)
        self.self_attn_layer_norm = nn.LayerNorm(d)
        self.fc1 = nn.Linear(d, ffn)
        self.fc2 = nn.Linear(ffn, d)
        self.final_layer_norm = nn.LayerNorm(d)

    def forward(self, x, heads, mask):
        x = self.self_attn_layer_norm(x + self.self_attn(x, heads, mask))
        return self.final_layer_norm(x + self.fc2(F.gelu(self.fc1(x))))


class Encoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_positions = nn.Embedding(c["positions"] + 2, c["d"])
        self.layernorm_embedding = nn.LayerNorm(c["d"])
        self.layers = nn.ModuleList(Layer(c["d"], c["ffn"]) for _ in range(c["layers"]))
        self.heads = c["enc_heads"]

    def forward(self, x, mask=None):
        x = self.layernorm_embedding(x + self.embed_positions.weight[2 : 2 + x.shape[1]])
        for layer in self.layers:
            x = layer(x, self.heads, mask)
        return x


class Florence2(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.vision_tower = Tower(c)
        self.multi_modal_projector = Projector(c["dims"][3], c["d"])
        shared = nn.Embedding(c["vocab"], c["d"], padding_idx=1)
        self.language_model = nn.ModuleDict({"shared": shared, "encoder": Encoder(c)})
        self.flow_token = nn.Parameter(torch.randn(c["d"]) * 0.02)

    def features(self, pixels):
        """[B, V, 3, P, P] to [B, V, 1 + N, d]."""
        x = self.multi_modal_projector(self.vision_tower(pixels.flatten(0, 1))[0][-1])
        return x.view(*pixels.shape[:2], *x.shape[1:])

    def sequence(self, features, ids):
        flow = self.flow_token.expand(len(ids), 1, -1)
        return torch.cat([features.flatten(1, 2), flow, self.language_model["shared"](ids)], 1)

    def forward(self, pixels, ids, mask=None):
        """Every token attends to every other unless `mask` [B, 1, 1, S] says to which."""
        return self.language_model["encoder"](self.sequence(self.features(pixels), ids), mask)
