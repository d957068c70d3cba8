"""The two networks. Plain convolutions, ReLU, addition and nearest-neighbour upsampling: what OpenCV 4.6 runs well."""

import onnx
import torch
from onnx import numpy_helper
from torch import nn

CLASSES = 10
STRIDE = 8
DETECTOR_WIDTH, DETECTOR_HEIGHT = 320, 240
# Channels of the detector's output: objectness, centre offset x and y, log width and height, then the classes.
OBJECT, OFFSET, SIZE, CLASS = 0, slice(1, 3), slice(3, 5), slice(5, 5 + CLASSES)


def conv(inputs, outputs, kernel=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)
    )


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x):
        return torch.relu(x + self.second(self.first(x)))


class Detector(nn.Module):
    """[N, 1, H, W] grey in 0...1 to [N, 15, H / 8, W / 8] raw values; H and W are multiples of 16."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(
            conv(1, 16, stride=2),
            conv(16, 32, stride=2),
            Residual(32),
            conv(32, 48, stride=2),
            Residual(48),
            Residual(48),
        )
        self.coarse = nn.Sequential(conv(48, 64, stride=2), Residual(64), Residual(64))
        self.lateral = conv(48, 64, 1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.merge = conv(64, 64)
        self.class_branch = nn.Sequential(conv(64, 64), conv(64, 64))
        self.box_head = nn.Conv2d(64, 5, 1)
        self.class_head = nn.Conv2d(64, CLASSES, 1)
        nn.init.constant_(self.box_head.bias, 0)
        nn.init.constant_(self.box_head.bias[OBJECT : OBJECT + 1], -4.6)
        nn.init.constant_(self.box_head.bias[SIZE], 1)

    def forward(self, x):
        fine = self.fine(x)
        merged = self.merge(self.lateral(fine) + self.up(self.coarse(fine)))
        return torch.cat([self.box_head(merged), self.class_head(self.class_branch(merged))], 1)


class Classifier(nn.Module):
    """[N, 1, 32, 32] grey in 0...1 to [N, 10] logits."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            conv(1, 24),
            conv(24, 32, stride=2),
            Residual(32),
            conv(32, 48, stride=2),
            Residual(48),
            conv(48, 64, stride=2),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(64 * 16, CLASSES),
        )

    def forward(self, x):
        return self.layers(x)


def parameters(model):
    return sum(p.numel() for p in model.parameters())


class Average:
    """A running mean of the weights, which is what gets exported."""

    def __init__(self, model, decay=0.999):
        self.decay, self.steps = decay, 0
        self.values = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        share = 1 - min(self.decay, self.steps / (self.steps + 10))
        for key, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[key].lerp_(value, share)
            else:
                self.values[key].copy_(value)


@torch.no_grad()
def take(model, path, pictures):
    """The weights of a network that `export` wrote. There each normalisation is inside its convolution: what it would have
    measured over `pictures` takes it out again, without a change of the answers."""
    graph = onnx.load(path).graph
    values = {v.name: torch.from_numpy(numpy_helper.to_array(v).copy()) for v in graph.initializer}
    stored = iter([[values[name] for name in node.input[1:3]] for node in graph.node if node.op_type == "Conv"])
    convolution = None

    def fill(module, inputs, output):
        nonlocal convolution
        if isinstance(module, nn.Conv2d):
            weight, bias = next(stored)
            module.weight.copy_(weight)
            convolution = (module, bias)
            if module.bias is not None:
                module.bias.copy_(bias)
        else:
            mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3))
            module.running_mean.copy_(mean)
            module.running_var.copy_(variance)
            module.weight.copy_((variance + module.eps).sqrt())
            module.bias.copy_(convolution[1] + mean)
        return module.forward(inputs[0])

    hooks = [m.register_forward_hook(fill) for m in model.modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))]
    model.eval()(pictures)
    for hook in hooks:
        hook.remove()
    model.train()


def export(model, path, shape, output):
    """Writes ONNX, opset 11, with a free batch dimension."""
    model = model.eval().to(memory_format=torch.contiguous_format)
    torch.onnx.export(
        model,
        torch.zeros(1, *shape),
        str(path),
        opset_version=11,
        dynamo=False,
        input_names=["image"],
        output_names=[output],
        dynamic_axes={"image": {0: "batch"}, output: {0: "batch"}},
    )
