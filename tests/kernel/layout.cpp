// SPDX-License-Identifier: MIT
#include <redoubt/kernel/geometry.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <vector>

using namespace redoubt;
using kernel::conv_geometry;
using kernel::wide_layout;

static_assert(kernel::layout_of<float32>.group == 1 && kernel::layout_of<float16>.group == 1);
static_assert(kernel::layout_of<int8>.group == 4);
static_assert(conv_geometry{.in = {3, 8, 8}, .out = {17, 8, 8}, .kernel = 3, .pad = 1}.blocks() == 2);

namespace {

/// Geometries with every kind of remainder.
template <class Body>
void for_each_geometry(Body body) {
    for (int in : {1, 3, 4, 5, 16, 33})
        for (int out : {1, 3, 15, 16, 17, 70})
            for (int kernel_h : {1, 2, 3, 5})
                for (int kernel_w : {1, 3})
                    body(conv_geometry{.in = {in, 6, 7}, .out = {out, 6, 7}, .kernel = {kernel_h, kernel_w}});
}

}  // namespace

TEST_CASE("every logical weight has a place of its own in the wide layout, inside its block", "[kernel][layout]") {
    for (int group : {1, 4}) {
        const wide_layout layout{group};
        for_each_geometry([&](const conv_geometry& g) {
            const int groups = (g.in.channels + group - 1) / group;
            CHECK(layout.groups(g) == groups);
            CHECK(layout.block_size(g) == static_cast<std::size_t>(g.kernel.h * g.kernel.w * groups * group * 16));
            CHECK(layout.size(g) == layout.block_size(g) * static_cast<std::size_t>((g.out.channels + 15) / 16));
            CHECK(g.weights() == static_cast<std::size_t>(g.out.channels * g.kernel.h * g.kernel.w * g.in.channels));
            std::vector<char> taken(layout.size(g));
            std::size_t logical = 0;
            int wrong = 0;
            for (int o = 0; o < g.out.channels; ++o)
                for (int r = 0; r < g.kernel.h; ++r)
                    for (int c = 0; c < g.kernel.w; ++c)
                        for (int i = 0; i < g.in.channels; ++i, ++logical) {
                            const std::size_t at = layout.index(g, o, r, c, i);
                            wrong += layout.index_of_logical(g, logical) != at;
                            wrong += at / layout.block_size(g) != static_cast<std::size_t>(o / 16);
                            if (at >= taken.size() || taken[at] != 0) ++wrong;
                            else taken[at] = 1;
                        }
            CHECK(wrong == 0);
            CHECK(logical == g.weights());
        });
    }
}

TEST_CASE("groups fill blocks of their own; depthwise channels share them", "[kernel][layout]") {
    struct shape_of_groups { int in, out, groups, blocks; };
    for (const auto& [in, out, groups, blocks] : {shape_of_groups{6, 9, 3, 3}, {8, 34, 2, 4}, {40, 64, 4, 4}, {5, 85, 5, 10},
                                                  {3, 3, 3, 1}, {16, 16, 16, 1}, {35, 35, 35, 3}}) {
        const conv_geometry g{.in = {in, 5, 5}, .out = {out, 3, 3}, .kernel = {3, 2}, .groups = groups};
        CHECK(g.blocks() == blocks);
        CHECK(g.weights() == static_cast<std::size_t>(out * 6 * (in / groups)));
        std::vector<int> channels;
        for (int b = 0; b < g.blocks(); ++b)
            for (int lane = 0; lane < g.channels_in(b); ++lane) {
                const int o = g.first_channel(b) + lane;
                channels.push_back(o);
                CHECK(g.block_of(o) == b);
                CHECK(g.lane_of(o) == lane);
                CHECK(g.first_input(o) == o / (out / groups) * (in / groups));
            }
        std::vector<int> all(static_cast<std::size_t>(out));
        for (std::size_t o = 0; o < all.size(); ++o) all[o] = static_cast<int>(o);
        CHECK(channels == all);
        for (int group : {1, 4}) {
            const wide_layout layout{group};
            std::vector<char> taken(layout.size(g));
            int wrong = 0;
            for (std::size_t i = 0; i < g.weights(); ++i) {
                const std::size_t at = layout.index_of_logical(g, i);
                const int o = static_cast<int>(i) / g.fan_in();
                wrong += at / layout.block_size(g) != static_cast<std::size_t>(g.block_of(o));
                if (at >= taken.size() || taken[at] != 0) ++wrong;
                else taken[at] = 1;
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("the wide layout is [out/16][row][column][in/group][16][group]", "[kernel][layout]") {
    const conv_geometry g{.in = {6, 9, 9}, .out = {40, 9, 9}, .kernel = {3, 2}};
    // block 2, row 1, column 1, channel 5, lane 3
    CHECK(wide_layout{1}.index(g, 35, 1, 1, 5) == ((((2u * 3 + 1) * 2 + 1) * 6 + 5) * 16 + 3));
    CHECK(wide_layout{4}.index(g, 35, 1, 1, 5) == ((((2u * 3 + 1) * 2 + 1) * 2 + 1) * 16 + 3) * 4 + 1);
}

TEST_CASE("multiply-adds inside the image, counted one by one", "[kernel][layout]") {
    for (int extent : {1, 2, 5, 8}) {
        for (int size : {1, 2, 3, 5}) {
            for (int stride : {1, 2, 3}) {
                for (int pad = 0; pad < size; ++pad) {
                    conv_geometry g{.in = {3, extent, extent + 1}, .out = {}, .kernel = size,
                                    .stride = stride, .pad = pad};
                    const int rows = g.in.height + 2 * pad - size, columns = g.in.width + 2 * pad - size;
                    if (rows < 0 || columns < 0) continue;
                    g.out = {5, rows / stride + 1, columns / stride + 1};
                    long long all = 0;
                    for (int row = 0; row < g.out.height; ++row) {
                        for (int column = 0; column < g.out.width; ++column) {
                            int taps = 0;
                            for (int r = 0; r < size; ++r)
                                for (int c = 0; c < size; ++c) {
                                    const int y = row * stride - pad + r, x = column * stride - pad + c;
                                    if (y >= 0 && y < g.in.height && x >= 0 && x < g.in.width) taps += g.in.channels;
                                }
                            CHECK(g.taps_at(row, column) == taps);
                            all += taps * g.out.channels;
                        }
                    }
                    CHECK(g.executed_macs() == all);
                    CHECK(g.fan_in() == size * size * 3);
                }
            }
        }
    }
}
