// SPDX-License-Identifier: MIT
// Writes what the microcontroller needs - parameter blocks and an image, as bytes - and prints the answers it must give.
//   cortex_m_host WEIGHTS DATA FOLDER: a safetensors file, a data set (a made-up image where there is none), where to write.
#include "cortex_m/lenet.hpp"

#include <redoubt/campaign/images.hpp>
#include <redoubt/io/checkpoint.hpp>
#include <redoubt/io/dataset.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

namespace {

namespace rd = redoubt;

using trained = rd::model::lenet5<rd::image<1, 28, 28>>;

/// Training images and one of the test; where the data set is missing, noise stands for them.
struct pictures {
    rd::campaign::prepared_images training;
    float test[784];
};

pictures noise() {
    rd::random_stream draw{5, {}};
    pictures p;
    p.training.image_size = 784;
    p.training.pixels.resize(20 * 784);
    p.training.labels.resize(20);
    for (float& v : p.training.pixels) v = static_cast<float>(draw.unit() * 2.8 - 0.8);
    std::copy_n(p.training.pixels.begin(), 784, p.test);
    return p;
}

pictures load_pictures(const std::string& folder) {
    const auto training = rd::io::load_dataset(folder, rd::io::part::train);
    const auto test = rd::io::load_dataset(folder, rd::io::part::test);
    if (!training || !test) return noise();
    const rd::io::normalisation by{{0.2860f}, {0.3530f}};
    pictures p;
    p.training = rd::campaign::prepare(*training, by, 100);
    const auto first = rd::campaign::prepare(*test, by, 1);
    std::copy(first.pixels.begin(), first.pixels.end(), p.test);
    return p;
}

bool write(const std::string& path, const void* bytes, std::size_t size) {
    std::ofstream file{path, std::ios::binary};
    file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
    return file.good();
}

/// Converts, writes the block and prints the answer.
template <rd::number N>
bool prepare(const rd::parameters<trained>& weights, const pictures& images, const rd::calibration<trained>& seen,
             const std::string& folder) {
    using plain = rd::with_number<trained, N>;
    using net = cortex_m::lenet<N>;
    const auto unprotected = std::make_unique<rd::parameters<plain>>();
    rd::convert<trained, plain>(weights, seen, *unprotected);
    rd::calibration<plain> own;
    const auto scratch = std::make_unique<rd::workspace<plain>>();
    for (std::size_t i = 0; i < images.training.size(); ++i)
        rd::observe<plain>(*unprotected, images.training.image(i), *scratch, own);

    const auto block = std::make_unique<rd::parameters<net>>();
    rd::convert<trained, net>(weights, seen, *block);
    rd::set_bounds<plain, net>(own, *block);
    rd::encode<net>(*block);
    const auto space = std::make_unique<rd::workspace<net>>();
    // a host that cannot fuse has other bits in float32 than the microcontroller
    cortex_m::writer out{[](const char* text) { if (rd::fuses || N::is_integer) std::fputs(text, stdout); }};
    cortex_m::infer_and_print<net>(*block, *space, images.test, out);
    return write(folder + "/lenet." + std::string{N::name}, block.get(), sizeof *block);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const auto weights = std::make_unique<rd::parameters<trained>>();
    if (const auto loaded = rd::io::load<trained>(argv[1], *weights); !loaded) {
        std::fprintf(stderr, "%s\n", std::string{loaded.reason().text()}.c_str());
        return 1;
    }
    const pictures images = load_pictures(argv[2]);
    rd::calibration<trained> seen;
    const auto scratch = std::make_unique<rd::workspace<trained>>();
    for (std::size_t i = 0; i < images.training.size(); ++i)
        rd::observe<trained>(*weights, images.training.image(i), *scratch, seen);
    const std::string folder = argv[3];
    const bool written = write(folder + "/image", images.test, sizeof images.test) &&
                         prepare<rd::int8>(*weights, images, seen, folder) &&
                         prepare<rd::float32>(*weights, images, seen, folder);
    return written ? 0 : 1;
}
