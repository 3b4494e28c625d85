// SPDX-License-Identifier: MIT
// Training steps of ResNet-20 on a batch from a file, for tests/training_with_pytorch.py: train_step IN OUT [steps]. IN holds the
// parameters, `pixels` [image][row][column][channel] and `labels` (both F32); OUT gets `loss`, the first step's gradients as gradient.NAME,
// and the parameters after the last step.
#include <redoubt/model/resnet_cifar.hpp>
#include <redoubt/train/trainer.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace redoubt;
using net = model::resnet20<image<3, 32, 32>>;

static int failed(const error& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

int main(int argc, char** argv) {
    if (argc < 3) return failed(error{"use: train_step IN OUT [steps]"});
    const int steps = argc > 3 ? std::atoi(argv[3]) : 1;
    const auto in = io::read_safetensors(argv[1]);
    if (!in) return failed(in.reason());
    const io::tensor_entry *pixels = in->find("pixels"), *labels = in->find("labels");
    if (pixels == nullptr || labels == nullptr) return failed(error{"the file needs pixels and labels"});
    const auto images = io::as_floats(*pixels), classes = io::as_floats(*labels);
    if (!images || !classes) return failed(images ? classes.reason() : images.reason());

    train::recipe by;
    by.optimiser = {.kind = train::optimiser_kind::sgd, .momentum = 0.9, .decay = 1e-4};
    by.schedule.rate = 0.1;
    train::trainer<net> t{by};
    if (const auto started = t.start_from(*in, argv[1]); !started) return failed(started.reason());

    const std::vector<int> which(classes->begin(), classes->end());
    io::tensor_file out;
    for (int i = 0; i < steps; ++i) {
        const auto did = t.step(*images, which);
        if (!did) return failed(did.reason());
        if (i != 0) continue;
        const float loss = static_cast<float>(did->loss);
        train::impl::append(out, "loss", {1}, {&loss, 1});
        for (io::tensor_entry& g : t.gradient_tensors().tensors) {
            g.name = "gradient." + g.name;
            out.tensors.push_back(g);
        }
    }
    for (const io::tensor_entry& p : t.tensors().tensors) out.tensors.push_back(p);
    const auto written = io::write_safetensors(argv[2], out);
    return written ? 0 : failed(written.reason());
}
