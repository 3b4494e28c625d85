// SPDX-License-Identifier: MIT
// A hash over many results of base/math.hpp: equal on every compiler, option and instruction set, or the promise of
// equal bits is broken.
#pragma once

#include <redoubt/base/math.hpp>
#include <redoubt/base/philox.hpp>

#include <cstdint>

namespace redoubt::test {

inline constexpr std::uint64_t math_bits = 0x76f7e08dc5d49a19u;

class bit_hash {
public:
    void add(std::uint64_t word) { state_ = (state_ ^ word) * 0x9e3779b97f4a7c15u, state_ ^= state_ >> 29; }
    std::uint64_t value() const { return state_; }

private:
    std::uint64_t state_ = 0x243f6a8885a308d3u;
};

/// Random bit patterns (so also NaN, Inf and denormals), the ranges in use, and sums and products of results, in which
/// a compiler could find something to contract.
inline std::uint64_t hash_of_math(int rounds = 20000) {
    bit_hash hash;
    random_stream random{1, {}};
    for (int i = 0; i < rounds; ++i) {
        const std::uint64_t word = random();
        const double any = from_word<double>(word), unit = random.unit();
        const float any_f = from_word<float>(static_cast<std::uint32_t>(word >> 17));
        hash.add(to_word(natural_log(any)));
        hash.add(to_word(natural_log(unit)));
        hash.add(to_word(natural_log(unit + 0.5)));
        hash.add(to_word(exponential(any)));
        hash.add(to_word(exponential((unit - 0.5) * 1490.0)));
        hash.add(to_word(1.0 + exponential(-unit)));
        hash.add(to_word(natural_log(unit) + natural_log(unit + 1.0)));
        hash.add(to_word(exponential(any_f)));
        hash.add(to_word(exponential(static_cast<float>((unit - 0.5) * 208.0))));
        const float a = static_cast<float>(unit * -103.0), b = static_cast<float>(unit * -101.0);
        hash.add(to_word(exponential(a) + exponential(b)));
    }
    return hash.value();
}

}  // namespace redoubt::test
