// SPDX-License-Identifier: MIT
// The activations written down once more from their definitions: floats in float, int8 in double, where it is exact.
#pragma once

#include <redoubt/kernel/call.hpp>

#include <algorithm>
#include <vector>

namespace support {

/// Every activation, with numbers that meet the values of the tests.
inline std::vector<redoubt::kernel::activation_spec> some_activations() {
    using redoubt::kernel::activation;
    return {{.kind = activation::none},
            {.kind = activation::relu},
            {.kind = activation::clipped_relu, .limit = 2},
            {.kind = activation::clipped_relu, .limit = 6},
            {.kind = activation::clip, .limit = 1, .lower = -1},
            {.kind = activation::clip, .limit = 0, .lower = -5},
            {.kind = activation::clip, .limit = 3, .lower = 1},
            {.kind = activation::leaky_relu, .slope = {1, 100}},
            {.kind = activation::leaky_relu, .slope = {1, 4}},
            {.kind = activation::leaky_relu, .slope = {7, 10}},
            {.kind = activation::leaky_relu, .slope = {1, 1}},
            {.kind = activation::leaky_relu, .slope = {1, 32767}},
            {.kind = activation::hard_swish}};
}

/// Of a float; NaN stays NaN.
inline float activated(const redoubt::kernel::activation_spec& by, float v) {
    using redoubt::kernel::activation;
    const auto low = static_cast<float>(by.lower), high = static_cast<float>(by.limit);
    if (v != v) return v;
    switch (by.kind) {
        case activation::none: return v;
        case activation::relu: return v > 0.0f ? v : 0.0f;
        case activation::clipped_relu: return v > 0.0f ? std::min(v, high) : 0.0f;
        case activation::clip: return v > low ? std::min(v, high) : low;
        case activation::leaky_relu: {
            const float slope = static_cast<float>(by.slope.numerator) / static_cast<float>(by.slope.denominator);
            const float less = v * slope;
            return v >= 0.0f ? v : less;
        }
        default: {
            if (v <= -3.0f) return 0.0f;
            const float shifted = v + 3.0f;
            const float part = std::min(shifted, 6.0f) / 6.0f;
            return v * part;
        }
    }
}

/// Of an int8 code at scale 2^frac, before it saturates to the word.
inline double activated_code(const redoubt::kernel::activation_spec& by, double code, int frac) {
    using redoubt::kernel::activation;
    const auto times = [](double v, int exponent) { return __builtin_ldexp(v, std::clamp(exponent, -2000, 2000)); };
    const auto whole = [&](int v) {
        return std::clamp(__builtin_nearbyint(times(v, std::clamp(frac, -126, 127))), -128.0, 127.0);
    };
    switch (by.kind) {
        case activation::none: return code;
        case activation::relu: return std::max(code, 0.0);
        case activation::clipped_relu: return std::clamp(code, 0.0, whole(by.limit));
        case activation::clip: return std::clamp(code, whole(by.lower), whole(by.limit));
        case activation::leaky_relu: {
            const double slope = static_cast<double>(by.slope.numerator) / by.slope.denominator;
            int shift = 30;
            while (__builtin_nearbyint(times(slope, shift)) > 32767.0) --shift;
            if (code >= 0.0) return code;
            return __builtin_nearbyint(times(std::max(code, -32768.0) * __builtin_nearbyint(times(slope, shift)), -shift));
        }
        default: {
            const int f = std::clamp(frac, -24, 36), scale = std::clamp(f, 0, 12);
            const double three = times(3.0, std::clamp(f, 0, 13));
            const double x = std::clamp(code, f > 13 ? -32768.0 : -three, 256.0);
            const double near = std::clamp(x, -three, three);
            const double gate = std::clamp(__builtin_nearbyint(times(near, scale - f)) + times(3.0, scale), 0.0, times(6.0, scale));
            const int extra = std::min(2, scale + 1);
            const double thrice = std::clamp(__builtin_nearbyint(times(x * gate, extra - scale - 1)), -32768.0, 32767.0);
            return __builtin_nearbyint(times(thrice * 21845.0, -16 - extra));
        }
    }
}

}  // namespace support
