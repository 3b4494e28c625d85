// SPDX-License-Identifier: MIT
// Mean and variance of channels from parts, in double: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for
// computing sample variances" (1979).
#pragma once

#include <redoubt/kernel/batch_norm.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace redoubt::train::inline v1 {

/// How many values each channel has had, their mean, and the sum of squared differences from it.
struct channel_statistics {
    double count = 0.0;
    std::vector<double> mean, squares;

    void clear(std::size_t channels) {
        count = 0.0;
        mean.assign(channels, 0.0);
        squares.assign(channels, 0.0);
    }
    /// Joins two sets; the order of joins decides the last bits.
    void add(const channel_statistics& more) {
        for (std::size_t c = 0; c < mean.size(); ++c) join(c, more.count, more.mean[c], more.squares[c]);
        count += more.count;
    }
    /// Joins pixels, [pixel][channel]; `room` is for 3 * `stride` floats.
    void add(const float* pixels, int number, float* room, std::size_t stride) {
        float *const middle = room, *const rest = room + stride, *const square = room + 2 * stride;
        kernel::channel_moments(pixels, number, static_cast<int>(mean.size()), middle, rest, square);
        const double n = number;
        for (std::size_t c = 0; c < mean.size(); ++c) {
            const double off = static_cast<double>(rest[c]) / n;
            join(c, n, static_cast<double>(middle[c]) + off, std::fma(-off, static_cast<double>(rest[c]), static_cast<double>(square[c])));
        }
        count += n;
    }

private:
    void join(std::size_t c, double n, double middle, double square) {
        if (n == 0.0) return;
        const double all = count + n, between = middle - mean[c];
        mean[c] = std::fma(between, n / all, mean[c]);
        squares[c] = std::fma(between * between, count * n / all, squares[c] + square);
    }
};

}  // namespace redoubt::train::inline v1
