// SPDX-License-Identifier: MIT
// Philox4x32-10, a counter-based random function: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011). The same key and counter give the same four words on every machine, in any order.
#pragma once

#include <array>
#include <cstdint>

namespace redoubt::inline v1 {

using philox_counter = std::array<std::uint32_t, 4>;
using philox_key = std::array<std::uint32_t, 2>;

namespace detail {
struct whole_product { std::uint64_t high, low; };
/// All 128 bits of a product.
constexpr whole_product multiply(std::uint64_t a, std::uint64_t b) {
#ifdef __SIZEOF_INT128__
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
#else
    const std::uint64_t al = a & 0xffffffffu, ah = a >> 32, bl = b & 0xffffffffu, bh = b >> 32;
    const std::uint64_t ll = al * bl, lh = al * bh, hl = ah * bl;
    const std::uint64_t middle = (ll >> 32) + (lh & 0xffffffffu) + (hl & 0xffffffffu);
    return {ah * bh + (lh >> 32) + (hl >> 32) + (middle >> 32), a * b};
#endif
}
}  // namespace detail

/// Four random words of a 128-bit counter under a 64-bit key; ten rounds.
constexpr philox_counter philox(philox_counter counter, philox_key key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * counter[0];
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * counter[2];
        counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
                   static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return counter;
}

/// A stream of 64-bit numbers under one key: a hash of what identifies the stream (seed, trial, space, ...), then a
/// count. Streams with different identities are independent; none has global state.
class random_stream {
public:
    constexpr random_stream(std::uint64_t seed, philox_counter identity) {
        const philox_counter h = philox(identity, split(seed));
        key_ = {h[0], h[1]};
        high_ = {h[2], h[3]};
    }

    /// The next 64 uniform bits.
    constexpr std::uint64_t operator()() {
        if (left_ == 0) {
            block_ = philox({static_cast<std::uint32_t>(count_), static_cast<std::uint32_t>(count_ >> 32), high_[0],
                             high_[1]}, key_);
            ++count_;
            left_ = 2;
        }
        --left_;
        const std::size_t i = left_ == 1 ? 0 : 2;
        return (std::uint64_t{block_[i + 1]} << 32) | block_[i];
    }

    /// A number below `bound` without bias (Lemire's multiplication with rejection); `bound` is not 0.
    constexpr std::uint64_t below(std::uint64_t bound) {
        for (;;) {
            const auto [high, low] = detail::multiply((*this)(), bound);
            if (low >= bound || low >= (0 - bound) % bound) return high;
        }
    }

    /// A number in (0, 1], 53 bits.
    constexpr double unit() { return static_cast<double>(((*this)() >> 11) + 1) * 0x1p-53; }

private:
    static constexpr philox_key split(std::uint64_t seed) {
        return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    }

    philox_key key_{};
    philox_key high_{};
    philox_counter block_{};
    std::uint64_t count_ = 0;
    int left_ = 0;
};

}  // namespace redoubt::inline v1
