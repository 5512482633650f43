"""A node pack for tests: inputs of all the types that a model's name may be wired into, and a loader that fails."""

from pathlib import Path

import folder_paths
from comfy_api.latest import io


class _Sink:
    CATEGORY = "tests"
    FUNCTION = "take"
    OUTPUT_NODE = True
    RETURN_TYPES = ()

    def take(self, **values):
        return {"ui": {"text": [repr(value) for value in values.values()]}}


class ListSink(_Sink):
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": (["one", "two"],)}}


class ComboSink(_Sink):
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("COMBO", {"options": ["one", "two"]})}}


class StringSink(_Sink):
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("STRING", {"forceInput": True})}}


class ImageSink(_Sink):
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("IMAGE",)}}


class AnySink(_Sink):
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"value": ("*",)}}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types):
        return True


class NewComboSink(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="NewComboSink",
            category="tests",
            is_output_node=True,
            inputs=[io.Combo.Input("value", options=["one", "two"])],
            outputs=[],
        )

    @classmethod
    def execute(cls, value):
        return io.NodeOutput(ui={"text": [repr(value)]})


DETECTORS = Path(folder_paths.models_dir, "ultralytics")
for _key, _folder in (("ultralytics_bbox", "bbox"), ("ultralytics_segm", "segm"), ("ultralytics", "")):
    _places = [str(DETECTORS / _folder)]
    folder_paths.folder_names_and_paths[_key] = (_places, folder_paths.supported_pt_extensions)


class DetectorProviderSink(_Sink):
    """Takes a name as UltralyticsDetectorProvider of the Impact Subpack does, and says which file it would load."""

    @classmethod
    def INPUT_TYPES(cls):
        names = [
            f"{kind}/{name}"
            for kind in ("bbox", "segm")
            for name in folder_paths.get_filename_list(f"ultralytics_{kind}")
        ]
        return {"required": {"model_name": (names,)}}

    def take(self, model_name):
        return {"ui": {"text": [str(folder_paths.get_full_path("ultralytics", model_name))]}}


class TaggerSink(_Sink):
    """Takes a name as WD14 Tagger does: from a tuple, and with or without its ending."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": (("wd-v1-4-moat-tagger-v2",),)}}

    def take(self, model):
        name = model.removesuffix(".onnx") + ".onnx"
        return {"ui": {"text": [str(Path(folder_paths.models_dir, "wd14_tagger", name))]}}


class SlowSink(_Sink):
    """A user's prompt that takes a while."""

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"seconds": ("FLOAT", {"default": 1.0}), "salt": ("INT", {"default": 0})}}

    def take(self, seconds, salt):
        import time

        time.sleep(seconds)
        return {"ui": {"text": [str(time.time())]}}


NODE_CLASS_MAPPINGS = {
    node.__name__: node
    for node in (
        ListSink,
        ComboSink,
        StringSink,
        ImageSink,
        AnySink,
        NewComboSink,
        DetectorProviderSink,
        TaggerSink,
        SlowSink,
    )
}
