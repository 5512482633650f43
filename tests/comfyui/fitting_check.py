"""Run by a ComfyUI's Python, in its folder: of LoRA of all sorts, whether we say that they change a weight, and whether
ComfyUI changes it; and how far a flow is moved, as JSON.

`python fitting_check.py PACK`, where PACK is the folder of the pack.
"""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

PACK = Path(sys.argv[1])
sys.argv = [sys.argv[0], "--cpu"]
sys.path.insert(0, str(Path.cwd()))

import comfy.options  # noqa: E402  reads the arguments

comfy.options.enable_args_parsing()

import comfy.lora  # noqa: E402
import comfy.model_patcher  # noqa: E402
import comfy.model_sampling  # noqa: E402
import torch  # noqa: E402

pack = ModuleType("pack")
pack.__path__ = [str(PACK)]
sys.modules["pack"] = pack
ours = importlib.import_module("pack.nodes.fitting")

OUT, IN, RANK = 48, 32, 4
CPU = torch.device("cpu")
random = torch.Generator().manual_seed(0)


def some(*shape):
    return torch.randn(shape, generator=random)


def lora(out, into):
    return {"lora_up.weight": some(out, RANK), "lora_down.weight": some(RANK, into)}


def networks(out, into):
    """The same change of an (out, into) weight, as each sort of network writes it."""
    halves = {"a": some(out, RANK), "b": some(RANK, into)}
    return {
        "lora": {**lora(out, into), "alpha": torch.tensor(2.0)},
        "dora": {**lora(out, into), "dora_scale": some(out, 1).abs()},
        "loha": {f"hada_w{n}_{side}": factor for n in (1, 2) for side, factor in halves.items()},
        "lokr": {"lokr_w1": some(4, 4), "lokr_w2_a": some(out // 4, RANK), "lokr_w2_b": some(RANK, into // 4)},
        "glora": {
            "a1.weight": some(RANK, into), "a2.weight": some(into, RANK),
            "b1.weight": some(RANK, into), "b2.weight": some(out, RANK),
        },
        "oft": {"oft_blocks": some(4, out // 4, out // 4)},
        "boft": {"oft_blocks": some(2, 4, out // 4, out // 4), "alpha": torch.tensor(0.1)},
        "full": {"diff": some(out, into)},
    }  # fmt: skip


def told(name, factors):
    model = torch.nn.Module()
    model.layer = torch.nn.Linear(IN, OUT).requires_grad_(False)
    before = comfy.model_patcher.ModelPatcher(model, CPU, CPU)
    after = before.clone()
    state = {f"layer.{factor}": tensor for factor, tensor in factors.items()}
    after.add_patches(comfy.lora.load_lora(state, {"layer": "layer.weight"}), 1.0)
    fit = ours.fit_of([(before, after)], state)
    weight = model.layer.weight
    done = comfy.lora.calculate_weight(after.patches.get("layer.weight", []), weight.clone(), "layer.weight")
    changes = done.shape == weight.shape and not torch.equal(done, weight)
    return [name, fit.changed, changes, fit.layers, fit.refusal]


def sigmas():
    """In the middle of a flow of either scale, as it is and moved to noise; and as it is afterwards."""
    lending = importlib.import_module("pack.nodes.lending")
    for multiplier in (1.0, 1000.0):
        model = torch.nn.Module()
        model.model_sampling = comfy.model_sampling.ModelSamplingDiscreteFlow()
        model.model_sampling.set_parameters(shift=3.0, multiplier=multiplier)
        plain = comfy.model_patcher.ModelPatcher(model, CPU, CPU)
        moved = lending.shifted(lending.Loaded(model=plain, clip=None, vae=None), 6.0).model
        samplings = [each.get_model_object("model_sampling") for each in (plain, moved, plain)]
        yield [float(each.sigma(torch.tensor(multiplier / 2))) for each in samplings]


with torch.inference_mode():  # as ComfyUI runs its nodes
    fitting = [told(*each) for each in networks(OUT, IN).items()]
    misfits = [told(*each) for each in networks(2 * OUT, 2 * IN).items()]
print(json.dumps({"fitting": fitting, "misfits": misfits, "sigmas": list(sigmas())}))
