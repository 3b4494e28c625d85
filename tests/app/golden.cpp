// SPDX-License-Identifier: MIT
// Answers on real images against logits that PyTorch computed (tests/make_golden.py), and what the numbers cost.
#include "support/catch.hpp"

#include <redoubt/app/engine.hpp>
#include <redoubt/io/dataset.hpp>

#include <cmath>
#include <filesystem>

namespace {

using namespace redoubt;

const std::string source = REDOUBT_SOURCE_DIR;
const std::string fashion = "/usr/share/datasets/fashion-mnist";

bool have_images() {
    const bool have = std::filesystem::exists(fashion + "/t10k-images-idx3-ubyte.gz");
    if (!have) WARN("skipped: no Fashion-MNIST in " << fashion << " (Debian: dataset-fashion-mnist)");
    return have;
}

campaign::prepared_images images(io::part which, std::size_t count) {
    const auto set = io::load_dataset(fashion, which);
    REQUIRE(set);
    const auto by = io::parse_normalisation("0.2860/0.3530", 1);
    REQUIRE(by);
    return campaign::prepare(*set, *by, count);
}

template <class Net, number N>
app::typed_engine<Net, N> prepared(const std::string& name, const std::vector<std::string>& protections = {"none"}) {
    app::typed_engine<Net, N> engine{name};
    const std::string path = source + "/examples/weights/" + name + "-fashion-mnist.safetensors";
    const auto file = io::read_safetensors(path);
    REQUIRE(file);
    const auto loaded = engine.load(*file, path);
    if (!loaded) FAIL(loaded.reason().c_str());
    engine.prepare(images(io::part::train, 2000), protections, 2);
    return engine;
}

template <class Net>
void matches_golden(const std::string& name) {
    const auto golden_file = io::read_safetensors(source + "/tests/data/golden-" + name + ".safetensors");
    REQUIRE(golden_file);
    REQUIRE(golden_file->find("outputs") != nullptr);
    const auto golden = io::as_floats(*golden_file->find("outputs"));
    REQUIRE(golden);
    const auto engine = prepared<Net, float32>(name);
    const auto test = images(io::part::test, 1000);
    double worst = 0.0;
    for (std::size_t i = 0; i < test.size(); ++i) {
        const auto ours = engine.outputs(test.image(i));
        const std::span<const float> theirs{golden->data() + i * ours.size(), ours.size()};
        double largest = 0.0, error = 0.0;
        for (std::size_t c = 0; c < ours.size(); ++c) {
            largest = std::max(largest, std::abs(static_cast<double>(theirs[c])));
            error = std::max(error, std::abs(static_cast<double>(ours[c]) - static_cast<double>(theirs[c])));
        }
        worst = std::max(worst, error / largest);
        REQUIRE(top1_of(ours) == top1_of(theirs));
    }
    CHECK(worst <= 1e-4);
}

using lenet = model::lenet5<image<1, 28, 28>>;
using resnet = model::resnet20<image<1, 28, 28>>;

double accuracy(const app::engine& engine, std::size_t count) {
    const auto test = images(io::part::test, count);
    const auto run = engine.find("none")->golden(test, 2);
    return static_cast<double>(run.right) / static_cast<double>(count);
}

}  // namespace

TEST_CASE("LeNet-5 gives PyTorch's logits on 1,000 images") {
    if (have_images()) matches_golden<lenet>("lenet5");
}

TEST_CASE("ResNet-20 gives PyTorch's logits on 1,000 images") {
    if (have_images()) matches_golden<resnet>("resnet20");
}

TEST_CASE("int8 loses at most one point, fp16 next to nothing") {
    if (!have_images()) return;
    const double clean = accuracy(prepared<resnet, float32>("resnet20"), 10000);
    CHECK(clean >= 0.93);
    CHECK(accuracy(prepared<resnet, int8>("resnet20"), 10000) >= clean - 0.01);
    CHECK(accuracy(prepared<resnet, float16>("resnet20"), 10000) >= clean - 0.001);
}

TEST_CASE("fp16 parameters and workspace take half the bytes of fp32's") {
    using narrow = with_number<resnet, float16>;
    // but for records (scales, bounds) and for what rounding each block to 64 bytes adds
    constexpr std::size_t slack = 64 * (2 * static_cast<std::size_t>(resnet::table.slot_count) + 8);
    CHECK(parameter_bytes<narrow> <= parameter_bytes<resnet> / 2 + slack);
    CHECK(slack * 200 < parameter_bytes<resnet>);
    CHECK(2 * workspace_bytes<narrow> == workspace_bytes<resnet>);
}

TEST_CASE("range changes at most one answer in a thousand on the test set") {
    if (!have_images()) return;
    const auto engine = prepared<resnet, float32>("resnet20", {"none", "range"});
    const auto test = images(io::part::test, 10000);
    const auto plain = engine.find("none")->golden(test, 2), bounded = engine.find("range")->golden(test, 2);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < test.size(); ++i) changed += plain.top1[i] != bounded.top1[i] ? 1 : 0;
    CHECK(changed <= 10);
}
