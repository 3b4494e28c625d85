// SPDX-License-Identifier: MIT
// Parameters in read-only memory. An image is written once, by a program like this; a device links it in and infers where it lies:
//     extern "C" const unsigned char trained[rd::rom_bytes<net>];   // the array of the source that `rom_image FILE` writes
//     const auto weights = rd::in_place<net>(trained);
#include <redoubt/io/rom.hpp>
#include <redoubt/redoubt.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace rd = redoubt;

using net = rd::network<rd::image<1, 8, 8>, rd::int8,
    rd::secded<rd::conv2d<rd::conv_spec{.out = 16, .kernel = 3}>>, rd::relu, rd::max_pool<2>, rd::secded<rd::linear<3>>>;
using trained_as = rd::with_number<rd::without_protection<net>, rd::float32>;

alignas(64) static std::byte flash[rd::rom_bytes<net>];  // stands for the device's memory

static void boot(const char* when, rd::rom_check look, std::span<const float> image) {
    const auto weights = rd::in_place<net>(flash, look);
    if (!weights) return static_cast<void>(std::printf("%-30s %s\n", when, weights.reason().c_str()));
    static rd::workspace<net> scratch;
    rd::state<net> state;
    const auto answer = rd::infer<net>(**weights, state, image, scratch);
    std::printf("%-30s class %d, corrected %u\n", when, answer.top1(), answer.status.total().corrected);
}

int main(int argc, char** argv) {
    // weights that a training would have left, and scales from its images
    rd::random_stream draw{3, {}};
    const auto trained = std::make_unique<rd::parameters<trained_as>>();
    for (int s = 0; s < net::table.slot_count; ++s)
        for (float& w : trained->weights(s)) w = static_cast<float>(draw.unit()) - 0.5f;
    float image[64];
    for (float& pixel : image) pixel = static_cast<float>(draw.unit());
    rd::calibration<trained_as> seen;
    const auto scratch = std::make_unique<rd::workspace<trained_as>>();
    rd::observe<trained_as>(*trained, image, *scratch, seen);

    const auto weights = std::make_unique<rd::parameters<net>>();
    rd::convert<trained_as, net>(*trained, seen, *weights);
    rd::encode<net>(*weights);  // code bits
    const auto bytes = rd::io::rom_image<net>(*weights);
    if (argc > 1) {
        const auto written = rd::io::write_rom_source(argv[1], bytes, {.name = "trained", .section = ".rodata.trained"});
        if (!written) return static_cast<void>(std::fprintf(stderr, "%s\n", written.reason().c_str())), 1;
    }

    std::copy(bytes.begin(), bytes.end(), flash);
    boot("sound", rd::rom_check::everything, image);
    flash[sizeof(rd::rom_header) + rd::parameters<net>::place(0).weights + 17] ^= std::byte{0x40};
    boot("one bit flipped, all checked", rd::rom_check::everything, image);
    boot("one bit flipped, header alone", rd::rom_check::header, image);
    flash[0] ^= std::byte{0x01};
    boot("header broken", rd::rom_check::header, image);
}
