"""Run by a ComfyUI's Python, in its folder: reference-only attention on small random UNets, measured as JSON.

`python reference_only_check.py PACK`, where PACK is the folder of the pack.
"""

import copy
import importlib
import json
import math
import sys
from pathlib import Path
from types import ModuleType

PACK = Path(sys.argv[1])
sys.argv = [sys.argv[0], "--cpu"]
sys.path.insert(0, str(Path.cwd()))

import comfy.options  # noqa: E402  reads the arguments

comfy.options.enable_args_parsing()

import comfy.model_patcher  # noqa: E402
import comfy.ops  # noqa: E402
import comfy.sample  # noqa: E402
import comfy.samplers  # noqa: E402
import comfy.supported_models  # noqa: E402
import torch  # noqa: E402

pack = ModuleType("pack")
pack.__path__ = [str(PACK)]
sys.modules["pack"] = pack
ours = importlib.import_module("pack.nodes.reference_only")

B, CONTEXT = 3, 48
CPU = torch.device("cpu")
SMALL = {
    "image_size": 8, "in_channels": 4, "out_channels": 4, "model_channels": 32, "num_res_blocks": [1, 1],
    "channel_mult": [1, 2], "transformer_depth_middle": 1, "use_spatial_transformer": True, "legacy": False,
    "context_dim": CONTEXT, "use_temporal_attention": False, "dims": 2, "dtype": torch.float32,
}  # fmt: skip
SD15 = {
    **SMALL, "transformer_depth": [1, 1], "transformer_depth_output": [1, 1, 1, 1], "adm_in_channels": None,
    "use_linear_in_transformer": False,
}  # fmt: skip
SDXL = {
    **SMALL, "transformer_depth": [0, 2], "transformer_depth_output": [2, 2, 0, 0], "adm_in_channels": 24,
    "num_classes": "sequential", "use_linear_in_transformer": True, "model_channels": 64,
}  # fmt: skip
KINDS = {"sd15": (comfy.supported_models.SD15, SD15), "sdxl": (comfy.supported_models.SDXL, SDXL)}


def patcher(kind):
    made, config = KINDS[kind]
    settings = made(copy.deepcopy(config))  # its lists are used up
    settings.set_inference_dtype(torch.float32, None)
    settings.custom_operations = comfy.ops.disable_weight_init
    model = settings.get_model({}, "", device="cpu").eval().requires_grad_(False)
    random = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            parameter.fill_(0.0 if name.endswith("bias") else 1.0)
        else:
            parameter.copy_(torch.randn(parameter.shape, generator=random) / math.sqrt(parameter[0].numel()))
    return comfy.model_patcher.ModelPatcher(model, load_device=CPU, offload_device=CPU)


def randn(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def reference(rows=B, **settings):
    return ours.Reference(latents=randn(rows, 4, 8, 8, seed=7), noise=randn(rows, 4, 8, 8, seed=8), **settings)


def given(kind, chunks, rows=B):
    """One step's input: chunks of `rows` each."""
    n = rows * len(chunks)
    c = {"c_crossattn": randn(n, 7, CONTEXT, seed=2)}
    if kind == "sdxl":
        c["y"] = randn(n, 24, seed=3)
    return {"input": 3 * randn(n, 4, 8, 8, seed=1), "timestep": torch.full((n,), 2.5), "c": c, "cond_or_uncond": chunks}


def step(patched, args):
    """As ComfyUI's sampling calls a model once."""
    options = {**patched.model_options["transformer_options"], "cond_or_uncond": args["cond_or_uncond"]}
    c = {**args["c"], "transformer_options": options}
    wrapper = patched.model_options.get("model_function_wrapper")
    if wrapper is None:
        return patched.model.apply_model(args["input"], args["timestep"], **c)
    return wrapper(patched.model.apply_model, {**args, "c": c})


def attention(layer, queries, keys):
    """softmax(q·kᵀ/√d)·v, one row, one head and one query at a time."""
    q, k, v = layer.to_q(queries), layer.to_k(keys), layer.to_v(keys)
    d = q.shape[-1] // layer.heads
    out = torch.empty_like(q)
    for row in range(len(q)):
        for head in range(layer.heads):
            of = slice(head * d, (head + 1) * d)
            for place in range(q.shape[1]):
                shares = ((k[row, :, of] @ q[row, place, of]) / d**0.5).softmax(dim=0)
                out[row, place, of] = shares @ v[row, :, of]
    return layer.to_out(out)


def explicit(patcher, args, drawn, shares):
    """Both passes written out, by replacing the forward of every self-attention."""
    layers = [layer for name, layer in patcher.model.named_modules() if name.endswith("attn1")]
    seen = {}
    sigma = args["timestep"][0]
    noised = (drawn.latents + sigma * drawn.noise).repeat(len(args["cond_or_uncond"]), 1, 1, 1)

    def write(layer):
        def forward(tokens, **_):
            seen[id(layer)] = tokens
            return attention(layer, tokens, tokens)

        return forward

    def read(layer):
        def forward(tokens, **_):
            alone = attention(layer, tokens, tokens)
            both = attention(layer, tokens, torch.cat([tokens, seen[id(layer)]], dim=1))
            return torch.stack([s * b + (1 - s) * o for s, b, o in zip(shares, both, alone, strict=True)])

        return forward

    for layer in layers:
        layer.forward = write(layer)
    step(patcher, {**args, "input": noised})
    for layer in layers:
        layer.forward = read(layer)
    result = step(patcher, args)
    for layer in layers:
        del layer.forward
    return result


def far(a, b):
    return float((a - b).abs().max())


def against_explicit(kind):
    """Largest difference to the explicit computation, and to painting without the drawing."""
    base, found = patcher(kind), []
    for weight, fidelity in ((1.0, 0.5), (1.0, 0.0), (1.0, 1.0), (0.4, 0.25)):
        for chunks in ([0], [1], [1, 0], [0, 1]):
            args, drawn = given(kind, chunks), reference(weight=weight, style_fidelity=fidelity)
            free = weight * (1 - fidelity)
            shares = [free if chunk == 1 else weight for chunk in chunks for _ in range(B)]
            result = step(ours.with_reference(base, drawn), args)
            found.append(
                [
                    weight,
                    fidelity,
                    chunks,
                    far(result, explicit(base, args, drawn, shares)),
                    far(result, step(base, args)),
                ]
            )
    return found


def parts(kind):
    """Both halves at once against each alone (little memory), and one row of three against that row alone."""
    base, drawn = patcher(kind), reference()
    patched, args = ours.with_reference(base, drawn), given(kind, [1, 0])
    together = step(patched, args)

    def only(rows, chunks):
        c = {name: value[rows] for name, value in args["c"].items()}
        return {"input": args["input"][rows], "timestep": args["timestep"][rows], "c": c, "cond_or_uncond": chunks}

    halves = torch.cat([step(patched, only(slice(0, B), [1])), step(patched, only(slice(B, 2 * B), [0]))])
    one = ours.Reference(latents=drawn.latents[1:2], noise=drawn.noise[1:2])
    alone = step(ours.with_reference(base, one), only(slice(B + 1, B + 2), [0]))
    return {"halves": far(together, halves), "row": far(together[B + 1 : B + 2], alone)}


def sampled(model, kind, cfg, rows=B, steps=2):
    """Through ComfyUI's own sampler."""
    pooled = {"pooled_output": torch.zeros(1, 1280)} if kind == "sdxl" else {}
    positive = [[randn(rows, 7, CONTEXT, seed=4), dict(pooled)]]
    negative = [[randn(1, 7, CONTEXT, seed=5), dict(pooled)]]
    latent, noise = torch.zeros(rows, 4, 8, 8), randn(rows, 4, 8, 8, seed=6)
    with torch.inference_mode():
        return comfy.sample.sample(
            model, noise, steps, cfg, "euler", "normal", positive, negative, latent, disable_pbar=True, seed=1
        ).clone()


def with_lora(base):
    """A clone with another weight in a cross attention and one in a self-attention."""
    patched = base.clone()
    names = [name for name in base.model.state_dict() if name.endswith(("attn1.to_v.weight", "attn2.to_v.weight"))]
    weights = base.model.state_dict()
    difference = {name: ("diff", (randn(*weights[name].shape, seed=9),)) for name in names}
    assert sorted(patched.add_patches(difference)) == sorted(names) != []
    return patched


def sampling():
    """On the whole way through the sampler: what changes, and what must not."""
    base = patcher("sd15")
    found = {}
    for cfg in (1.0, 5.0):
        before = sampled(base, "sd15", cfg)
        painted = sampled(ours.with_reference(base, reference()), "sd15", cfg)
        tuned = with_lora(base)
        own = sampled(tuned, "sd15", cfg)
        both = sampled(ours.with_reference(tuned, reference()), "sd15", cfg)
        nothing = sampled(ours.with_reference(base, reference(weight=0.0)), "sd15", cfg)
        after = sampled(base, "sd15", cfg)
        one = sampled(ours.with_reference(base, reference(1)), "sd15", cfg, rows=1)
        found[str(cfg)] = {
            "rows": list(painted.shape), "finite": bool(torch.isfinite(painted).all() and torch.isfinite(both).all()),
            "painted": far(painted, before), "lora": far(own, before), "lora painted": far(both, own),
            "lora and drawing": far(both, painted), "zero": far(nothing, before), "after": far(after, before),
            "one": list(one.shape),
        }  # fmt: skip
    found["options"] = sorted(base.model_options), sorted(base.model_options["transformer_options"])
    return found


def refusals():
    class Transformer(torch.nn.Module):
        pass

    class Patcher:
        def get_model_object(self, _):
            return Transformer()

        def clone(self):
            return comfy.model_patcher.ModelPatcher(Transformer(), load_device=CPU, offload_device=CPU)

    said = []
    for work in (
        lambda: ours.with_reference(Patcher(), reference()),
        lambda: step(ours.with_reference(patcher("sd15"), reference(2)), given("sd15", [0])),
    ):
        try:
            work()
        except Exception as error:
            said.append(str(error))
    return said


with torch.inference_mode():
    measured = {kind: {"explicit": against_explicit(kind), "parts": parts(kind)} for kind in KINDS}
measured |= {"sampling": sampling(), "refusals": refusals()}
print(json.dumps(measured))
