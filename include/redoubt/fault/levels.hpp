// SPDX-License-Identifier: MIT
// The levels of the sparse sampler: at level k every bit of a fault space is struck with a small fixed probability, by
// geometric skips within blocks that can each be drawn alone.
#pragma once

#include <redoubt/base/math.hpp>
#include <redoubt/base/philox.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace redoubt::fault::inline v1 {

/// What identifies a draw. Draws under different keys are independent; the same key gives the same faults everywhere.
struct draw_key {
    std::uint64_t seed = 0;
    std::uint64_t trial = 0;
    std::uint32_t space = 0;  ///< which fault space: stored weights, their second copy, features of replica r, ...
    std::uint32_t item = 0;   ///< which run within the trial: the number of an image, 0 where a trial draws once

    constexpr bool operator==(const draw_key&) const = default;
};

namespace detail {

/// Levels of the sparse regime: rates of 2^-7 to 2^-40. Lower rates thin the last level.
inline constexpr int first_level = 7, last_level = 40;
/// Stands in a level's place in the counter of a dense draw.
inline constexpr int dense_level = 1;

constexpr double two_to(int power) { return static_cast<double>(std::uint64_t{1} << power); }

/// 1 / q of a level. A bit is struck at 2^-k if it is struck at 2^-(k+1) or by level k's extra set. For the union to
/// have probability 2^-k the extra set needs q = (2^-k - 2^-(k+1)) / (1 - 2^-(k+1)) = 1 / (2^(k+1) - 1). Below the last
/// level nothing is drawn, so that one has q = 2^-40 itself.
constexpr double inverse_rate(int k) { return k == last_level ? two_to(k) : two_to(k + 1) - 1.0; }

/// -1 / ln(1 - q), which turns an exponential variate into a geometric skip. With n = 2/q - 1, ln(1 - q) is
/// -2 atanh(1/n); n is at least 509, so four terms of the series give every bit.
constexpr double skip_scale(int k) {
    const double n = inverse_rate(k) + (inverse_rate(k) - 1.0);
    const double z = 1.0 / (n * n);
    return n / 2.0 / (1.0 + (z / 3.0 + (z * z / 5.0 + z * z * z / 7.0)));
}

inline constexpr std::array<double, last_level + 1> skip_scales = [] {
    std::array<double, last_level + 1> scales{};
    for (int k = first_level; k <= last_level; ++k) scales[static_cast<std::size_t>(k)] = skip_scale(k);
    return scales;
}();

/// Blocks of level k are 2^block_shift(k) bits: some eight faults each, more at the first levels.
constexpr int block_shift(int k) { return k + 4 < 16 ? 16 : k + 4; }

/// The random words of a draw, a function of (level, block, index). A first Philox call hashes the key; its result is
/// the key and half the counter of the others. A level is never 0, which keeps these words apart from those of a
/// random_stream with the same identity.
class draw_words {
public:
    constexpr explicit draw_words(const draw_key& key)
        : hash_{philox({static_cast<std::uint32_t>(key.trial), static_cast<std::uint32_t>(key.trial >> 32), key.space,
                        key.item},
                       {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)})} {}

    struct pair { std::uint64_t first, second; };

    /// Two words; `index` stays below 2^24.
    constexpr pair at(int k, std::uint64_t block, std::uint32_t index) const {
        const std::uint32_t place = (static_cast<std::uint32_t>(k) << 24) | index;
        const philox_counter w = philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
                                         hash_[2] ^ place, hash_[3]},
                                        {hash_[0], hash_[1]});
        return {(std::uint64_t{w[1]} << 32) | w[0], (std::uint64_t{w[3]} << 32) | w[2]};
    }

    constexpr const philox_counter& hash() const { return hash_; }

private:
    philox_counter hash_;
};

/// Visits the faults of one level in increasing order.
struct level_walker {
    std::uint64_t place;  ///< a fault, once it has advanced; before, where to look next
    std::uint64_t block;
    std::uint32_t index;  ///< random words taken within the block
    std::int32_t k;       ///< which level
};

}  // namespace detail
}  // namespace redoubt::fault::inline v1

namespace redoubt::fault::inline REDOUBT_ABI {

/// The faults of all levels at one rate in (0, 2^-7], within bits [first, last) of the space.
///
/// Only the level k with 2^-(k+1) < rate <= 2^-k is thinned: of its extra set those faults stay whose own number in
/// [0, 1), fixed by the key, is below t = (rate - 2^-(k+1)) / (2^-k - 2^-(k+1)). The extra set adds 2^-(k+1) to the
/// rate of the levels below it, so its thinned part adds t 2^-(k+1), and the whole is exactly `rate`. The subtraction
/// is exact, so t is; below 2^-40 it is rate 2^40. What limits exactness are the 53 bits of the number behind a skip.
class level_faults {
public:
    level_faults(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last)
        : words_{key}, first_{first}, last_{last} {
        const std::uint64_t word = to_word(rate);
        const bool whole = (word & 0x000fffffffffffffu) == 0;
        k_ = std::min(1023 - static_cast<int>(word >> 52) - (whole ? 0 : 1), detail::last_level);
        const double kept = k_ == detail::last_level ? rate * 0x1p40
                                                     : std::fma(rate, detail::two_to(k_ + 1), -1.0);
        keep_all_ = kept >= 1.0;
        keep_ = keep_all_ ? 0 : static_cast<std::uint64_t>(kept * 0x1p64);
    }

    /// The level that is thinned; the levels past it are whole.
    int thinned() const { return k_; }
    /// Whether it stays whole after all; else the faults whose number is below this one stay.
    bool keeps_all() const { return keep_all_; }
    std::uint64_t keeps_below() const { return keep_; }

    /// A walker of level k, before its first fault.
    detail::level_walker walker(int k) const {
        const std::uint64_t block = first_ >> detail::block_shift(k);
        return {block << detail::block_shift(k), block, 0, k};
    }

    /// Moves to the next fault of the walker's level. False when there is none before the end of the range.
    bool advance(detail::level_walker& w) const {
        const int shift = detail::block_shift(w.k);
        const double scale = detail::skip_scales[static_cast<std::size_t>(w.k)];
        if (w.index != 0) ++w.place;
        for (;;) {
            const std::uint64_t end = std::min((w.block + 1) << shift, last_);
            while (w.place < end) {
                const auto [skip_word, keep_word] = words_.at(w.k, w.block, w.index++);
                // Uniform in (0, 1]; -ln(1 - x) is at least x, which mostly saves the logarithm where faults are rare.
                const double u = static_cast<double>((skip_word >> 11) + 1) * 0x1p-53;
                const double room = static_cast<double>(end - w.place);
                if ((1.0 - u) * scale >= room * 1.001) break;
                const double skip = -natural_log(u) * scale;
                if (skip >= room) break;
                w.place += static_cast<std::uint64_t>(skip);
                if ((w.k != k_ || keep_all_ || keep_word < keep_) && w.place >= first_) return true;
                ++w.place;
            }
            if (end == last_) return false;
            w = {end, w.block + 1, 0, w.k};
        }
    }

private:
    detail::draw_words words_;
    std::uint64_t first_, last_;
    std::uint64_t keep_ = 0;
    int k_ = 0;
    bool keep_all_ = false;
};

}  // namespace redoubt::fault::inline REDOUBT_ABI
