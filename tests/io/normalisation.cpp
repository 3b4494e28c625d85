// SPDX-License-Identifier: MIT
#include <redoubt/io/normalisation.hpp>

#include "support/catch.hpp"
#include "support/complaint.hpp"

#include <array>

namespace io = redoubt::io;

TEST_CASE("mean and deviation are read for all channels or each", "[io]") {
    CHECK(*io::parse_normalisation("0.2860/0.3530", 1) == io::normalisation{{0.2860f}, {0.3530f}});
    CHECK(*io::parse_normalisation("0.5/0.25", 3) == io::normalisation{{0.5f}, {0.25f}});
    CHECK(*io::parse_normalisation(" 0.485, 0.456,0.406 /0.229,0.224,0.225", 3) ==
          io::normalisation{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}});
    CHECK(*io::parse_normalisation("0,-1,1e-3/1", 3) == io::normalisation{{0.0f, -1.0f, 1e-3f}, {1.0f}});
}

TEST_CASE("other texts are errors that say what is wrong", "[io]") {
    CHECK_COMPLAINT(io::parse_normalisation("", 1), "must be mean/deviation");
    CHECK_COMPLAINT(io::parse_normalisation("0.5", 1), "'0.5'", "must be mean/deviation");
    CHECK_COMPLAINT(io::parse_normalisation("1/2/3", 1), "must be mean/deviation");
    CHECK_COMPLAINT(io::parse_normalisation("/1", 1), "mean", "'' is not a number");
    CHECK_COMPLAINT(io::parse_normalisation("0.5x/1", 1), "mean", "'0.5x' is not a number");
    CHECK_COMPLAINT(io::parse_normalisation("0.5/1,", 1), "deviation", "'' is not a number");
    CHECK_COMPLAINT(io::parse_normalisation("nan/1", 1), "'nan' is not a number");
    CHECK_COMPLAINT(io::parse_normalisation("0/inf", 1), "'inf' is not a number");
    CHECK_COMPLAINT(io::parse_normalisation("1e300/1", 1), "'1e300' is not a number");
    CHECK_COMPLAINT(io::parse_normalisation("0/0", 1), "above 0");
    CHECK_COMPLAINT(io::parse_normalisation("0/-1", 1), "above 0");
    CHECK_COMPLAINT(io::parse_normalisation("0/1e-60", 1), "above 0");
    CHECK_COMPLAINT(io::parse_normalisation("0,0/1", 3), "has 2 values", "3 channels");
    CHECK_COMPLAINT(io::parse_normalisation("0/1,1,1", 1), "has 3 values", "1 channels");
}

TEST_CASE("pixels are scaled, centred and divided, each rounded to float", "[io]") {
    std::array<std::uint8_t, 256 * 3> pixels{};
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i / 3);
    std::array<float, 256 * 3> out{};
    const io::normalisation by{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
    io::normalise(pixels, 3, by, out);
    bool same = true;
    for (std::size_t i = 0; i < out.size(); ++i) {
        volatile float value = static_cast<float>(pixels[i]);  // volatile: each step is stored as a float
        value = value / 255.0f;
        value = value - by.mean[i % 3];
        value = value / by.deviation[i % 3];
        same = same && out[i] == value;
    }
    CHECK(same);
    io::normalise(pixels, 3, {}, out);
    CHECK(out.front() == 0.0f);
    CHECK(out.back() == 1.0f);
    // the bits that numpy.float32 arithmetic gives
    io::normalise(std::array<std::uint8_t, 2>{100, 7}, 1, {{0.2860f}, {0.3530f}}, std::span{out}.first(2));
    CHECK(out[0] == 0x1.33f1f2p-2f);
    CHECK(out[1] == -0x1.770188p-1f);
}
