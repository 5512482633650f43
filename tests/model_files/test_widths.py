"""How wide a layer is, told by factors in every way that trainers write them."""

from __future__ import annotations

import pytest

from modelsearch_core.model_files.architecture import recognise
from modelsearch_core.model_files.widths import telling, widths_of

Shapes = dict[str, tuple[int, ...]]
OUT, IN, RANK = 48, 40, 4
FACTORS: dict[str, tuple[Shapes, tuple[int | None, int | None]]] = {  # of one layer, and what they tell
    "kohya": ({"lora_down.weight": (RANK, IN), "lora_up.weight": (OUT, RANK)}, (OUT, IN)),
    "peft": ({"lora_A.weight": (RANK, IN), "lora_B.weight": (OUT, RANK)}, (OUT, IN)),
    "peft of another name": ({"lora_A.style.weight": (RANK, IN), "lora_B.style.weight": (OUT, RANK)}, (OUT, IN)),
    "mochi's trainer": ({"lora_A": (RANK, IN), "lora_B": (OUT, RANK)}, (OUT, IN)),
    "old diffusers": ({"lora.down.weight": (RANK, IN), "lora.up.weight": (OUT, RANK)}, (OUT, IN)),
    "loha": (
        {"hada_w1_a": (OUT, RANK), "hada_w1_b": (RANK, IN), "hada_w2_a": (OUT, RANK), "hada_w2_b": (RANK, IN)},
        (OUT, IN),
    ),
    "lokr": ({"lokr_w1": (4, 4), "lokr_w2": (OUT // 4, IN // 4)}, (OUT, IN)),
    "lokr factored": ({"lokr_w1": (4, 4), "lokr_w2_a": (OUT // 4, 2), "lokr_w2_b": (2, IN // 4)}, (OUT, IN)),
    "glora of LyCORIS 1": (
        {"a1.weight": (RANK, IN), "a2.weight": (IN, RANK), "b1.weight": (RANK, IN), "b2.weight": (OUT, RANK)},
        (OUT, IN),
    ),
    "glora of LyCORIS 3": (
        {"a1.weight": (IN, RANK), "a2.weight": (RANK, IN), "b1.weight": (OUT, RANK), "b2.weight": (RANK, IN)},
        (OUT, IN),
    ),
    "difference": ({"diff": (OUT, IN)}, (OUT, IN)),
    "oft": ({"oft_blocks": (6, 8, 8)}, (OUT, None)),
    "boft": ({"oft_blocks": (3, 6, 8, 8)}, (OUT, None)),
    "oft of PEFT": ({"oft_R.weight": (5, 28)}, (None, IN)),  # 28 numbers above the diagonal of 8 x 8
    "oft of PEFT, one for all": ({"oft_R.weight": (1, 28)}, (None, None)),
    "ia3": ({"weight": (OUT,), "on_input": ()}, (OUT, None)),
    "norms": ({"w_norm": (OUT,), "b_norm": (OUT,)}, (None, None)),
}


@pytest.mark.parametrize("way", FACTORS)
def test_factors_tell_the_outputs_and_inputs_of_their_layer(way: str) -> None:
    factors, expected = FACTORS[way]
    shapes = {f"some.layer.{name}": shape for name, shape in factors.items()}
    [(layer, end)] = telling(shapes)
    assert (layer, widths_of(layer, end, shapes)) == ("some.layer", expected)


@pytest.mark.parametrize("way", ["oft", "boft", "ia3", "glora"])
def test_every_way_tells_a_variant_by_its_width(way: str) -> None:
    """FLUX.2's three have layers of the same names."""
    for width, variant in ((6144, "dev"), (4096, "klein-9b"), (3072, "klein-4b")):
        factors: dict[str, Shapes] = {
            "oft": {"oft_blocks": (8, width // 8, width // 8)},
            "boft": {"oft_blocks": (3, 8, width // 8, width // 8)},
            "ia3": {"weight": (width,), "on_input": ()},
            "glora": {
                **{"a1.weight": (width, 4), "a2.weight": (4, width)},
                **{"b1.weight": (width, 4), "b2.weight": (4, width)},
            },
        }
        layer = "lycoris_double_blocks_0_img_attn_proj"
        found = recognise({f"{layer}.{name}": shape for name, shape in factors[way].items()})
        assert [name for family, name in found.twins if family == "flux2"] == [variant]


def test_glora_of_lycoris_3_is_of_the_model_that_its_inputs_tell() -> None:
    """Its first factor has the rank where that of LyCORIS 1 has the inputs."""
    layer = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    factors = {"a1.weight": (2048, 4), "a2.weight": (4, 2048), "b1.weight": (640, 4), "b2.weight": (4, 2048)}
    assert recognise({f"{layer}.{name}": shape for name, shape in factors.items()}).architecture == "sdxl"
