// SPDX-License-Identifier: MIT
// Parameter vulnerability of a network and images from a file, for tests/vulnerability_with_pytorch.py: gradient_ranking MODEL IN OUT label|prediction. IN holds the
// parameters, norms not folded, `pixels` [image][row][column][channel] and `labels` (both F32); OUT gets the ranking of the trained weights, single ones too.
#include <redoubt/analyze/ranking_file.hpp>
#include <redoubt/analyze/vulnerability.hpp>
#include <redoubt/model/resnet_cifar.hpp>
#include <redoubt/model/vgg.hpp>

#include <cstdio>
#include <memory>
#include <string_view>

using namespace redoubt;

static int failed(const error& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

template <network_type Net>
static int rank(io::tensor_file in, const char* source, const char* to, analyze::margin_to target) {
    campaign::prepared_images images;
    images.image_size = static_cast<std::size_t>(Net::input_shape.size());
    for (const char* name : {"pixels", "labels"}) {
        const io::tensor_entry* entry = in.find(name);
        if (entry == nullptr) return failed(error{"the file needs pixels and labels"});
        const auto values = io::as_floats(*entry);
        if (!values) return failed(values.reason());
        if (entry->name == "pixels") images.pixels = *values;
        else images.labels.assign(values->begin(), values->end());
    }
    std::erase_if(in.tensors, [](const io::tensor_entry& e) { return e.name == "pixels" || e.name == "labels"; });
    const auto weights = std::make_unique<parameters<Net>>();
    if (const auto loaded = io::load<Net>(in, source, *weights); !loaded) return failed(loaded.reason());
    const auto factors = analyze::norm_factors_of<Net>(in, source);
    if (!factors) return failed(factors.reason());
    const auto written = analyze::write_ranking(
        to, analyze::parameter_vulnerability<Net>(*weights, images, {.target = target, .each_weight = true, .trained = *factors, .threads = 2}));
    return written ? 0 : failed(written.reason());
}

int main(int argc, char** argv) {
    if (argc != 5) return failed(error{"use: gradient_ranking MODEL IN OUT label|prediction"});
    const std::string_view model = argv[1];
    const auto target = std::string_view{argv[4]} == "label" ? analyze::margin_to::label : analyze::margin_to::prediction;
    auto in = io::read_safetensors(argv[2]);
    if (!in) return failed(in.reason());
    if (model == "resnet20") return rank<model::resnet20<image<1, 28, 28>>>(std::move(*in), argv[2], argv[3], target);
    if (model == "vgg11_bn") return rank<model::vgg11_bn<image<3, 32, 32>, float32, 10>>(std::move(*in), argv[2], argv[3], target);
    return failed(error{"models: resnet20, vgg11_bn"});
}
