"""A node pack for tests: inputs of all the types that a model's name may be wired into, and a loader that fails."""

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
    node.__name__: node for node in (ListSink, ComboSink, StringSink, ImageSink, AnySink, NewComboSink, SlowSink)
}
