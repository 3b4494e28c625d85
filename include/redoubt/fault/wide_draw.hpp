// SPDX-License-Identifier: MIT
// The draws of draw.hpp many at a time, in vector registers: the same bits are struck, only their order is left open.
#pragma once

#include <redoubt/fault/draw.hpp>
#include <redoubt/kernel/wide_random.hpp>

namespace redoubt::fault::inline REDOUBT_ABI {

#if REDOUBT_LEVEL_NUMBER >= 3

namespace impl {

using kernel::random_lanes;
using kernel::real_lanes;
using kernel::word_lanes;

/// detail::draw_words of many blocks at once.
class wide_words {
public:
    using pair = kernel::wide_philox::pair;

    explicit wide_words(const detail::draw_words& words) : hash_{words.hash()}, philox_{{hash_[0], hash_[1]}} {}

    /// The words of several vectors of blocks at `Ahead` indices from `index` on, as [vector][index].
    template <std::size_t Vectors, std::size_t Ahead>
    std::array<std::array<pair, Ahead>, Vectors> at(int k, const std::array<word_lanes, Vectors>& blocks, std::uint32_t index) const {
        std::array<std::array<std::uint32_t, 2>, Ahead> highs;
        for (std::size_t a = 0; a < Ahead; ++a) {
            const std::uint32_t place = (static_cast<std::uint32_t>(k) << 24) | (index + static_cast<std::uint32_t>(a));
            highs[a] = {hash_[2] ^ place, hash_[3]};
        }
        return philox_(blocks, highs);
    }

private:
    philox_counter hash_;
    kernel::wide_philox philox_;
};

/// A walk through as many blocks as there are lanes, at one pace.
class block_walk {
public:
    /// Of blocks from `first` on, the first `count`.
    block_walk(int k, std::uint64_t first, std::uint64_t count)
        : block_{kernel::numbers_from(first)},
          start_{kernel::numbers_from(first << detail::block_shift(k), std::uint64_t{1} << detail::block_shift(k))}, place_(0.0), k_{k},
          walking_{count >= random_lanes ? (1u << random_lanes) - 1u : (1u << count) - 1u} {}

    bool goes_on() const { return walking_ != 0; }
    const word_lanes& blocks() const { return block_; }
    /// Every lane's next fault, from its words; those that stay go to `to`.
    std::uint64_t* step(const level_faults& faults, const wide_words::pair& words, bool thins, std::uint64_t* to) {
        const auto& [skip_word, keep_word] = words;
        const real_lanes u = kernel::real_of_whole(kernel::right<11>(skip_word) + word_lanes(std::uint64_t{1})) * real_lanes(0x1p-53);
        const real_lanes skip = kernel::natural_log(u) * real_lanes(-detail::skip_scales[static_cast<std::size_t>(k_)]);
        walking_ &= kernel::lanes_where(skip < real_lanes(detail::two_to(detail::block_shift(k_))) - place_);
        place_ = place_ + kernel::whole_part(skip);
        const unsigned kept = thins ? kernel::lanes_where(keep_word < word_lanes(faults.keeps_below())) : ~0u;
        const word_lanes at = start_ + kernel::word_of_whole(place_);
        place_ = place_ + real_lanes(1.0);
        return kernel::store_lanes(at, walking_ & kept, to);
    }

private:
    word_lanes block_, start_;
    real_lanes place_;
    int k_;
    unsigned walking_;
};

/// The faults of `blocks` blocks of one level, from block `from` on, two walks side by side.
template <class Sink>
void draw_blocks(const level_faults& faults, const wide_words& words, int k, std::uint64_t from, std::uint64_t blocks, Sink&& sink) {
    constexpr std::uint64_t lanes = random_lanes;
    const bool thins = k == faults.thinned() && !faults.keeps_all();
    std::array<std::uint64_t, 512 + 5 * lanes> found;
    for (std::uint64_t b = 0; b < blocks; b += 2 * lanes) {
        block_walk one{k, from + b, blocks - b}, other{k, from + b + lanes, blocks - b > lanes ? blocks - b - lanes : 0};
        std::uint64_t* end = found.data();
        const auto tell = [&] {
            for (const std::uint64_t* at = found.data(); at != end; ++at) sink(*at);
            end = found.data();
        };
        const std::array both{one.blocks(), other.blocks()};
        for (std::uint32_t index = 0; one.goes_on() || other.goes_on(); index += 2) {
            const auto drawn = words.at<2, 2>(k, both, index);
            for (std::size_t ahead = 0; ahead < 2; ++ahead) {
                end = one.step(faults, drawn[0][ahead], thins, end);
                end = other.step(faults, drawn[1][ahead], thins, end);
            }
            if (end - found.data() > 512) tell();
        }
        tell();
    }
}

/// Places of one window, each told once.
class place_set {
public:
    static constexpr int table_bits = 12;
    static constexpr std::size_t most = 3072;

    void clear() {
        if (size_ != 0) table_.fill(0);
        size_ = 0;
    }
    /// False where the place was there already.
    bool add(std::uint64_t place) {
        std::size_t at = static_cast<std::size_t>((place * 0x9E3779B97F4A7C15u) >> (64 - table_bits));
        for (;; at = (at + 1) % table_.size()) {
            if (table_[at] == place + 1) return false;
            if (table_[at] == 0) break;
        }
        REDOUBT_EXPECTS(size_ < most);  // sixty standard deviations past the largest mean
        table_[at] = place + 1;
        ++size_;
        return true;
    }

private:
    std::array<std::uint64_t, std::size_t{1} << table_bits> table_{};
    std::size_t size_ = 0;
};

/// draw_sparse in windows of 2^(k + 10) bits, k the thinned level, which hold at most 1,024 faults on average. Levels with
/// several blocks to a window go in lanes, the rare faults of the others one by one.
template <class Sink>
void draw_sparse_wide(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last, Sink&& sink) {
    const level_faults faults{key, rate, first, last};
    const wide_words words{detail::draw_words{key}};
    const int window_shift = faults.thinned() + 10;
    constexpr int fewest_blocks = 4;
    std::array<detail::level_walker, detail::last_level + 1> walkers;
    int wide_end = faults.thinned();
    while (wide_end <= detail::last_level && (std::uint64_t{fewest_blocks} << detail::block_shift(wide_end)) <= std::uint64_t{1} << window_shift)
        ++wide_end;
    for (int k = wide_end; k <= detail::last_level; ++k) {
        auto& w = walkers[static_cast<std::size_t>(k)];
        w = faults.walker(k);
        if (!faults.advance(w)) w.place = last;
    }
    place_set seen;
    for (std::uint64_t window = first >> window_shift; window << window_shift < last; ++window) {
        const std::uint64_t begin = std::max(window << window_shift, first), end = std::min((window + 1) << window_shift, last);
        seen.clear();
        for (int k = wide_end; k <= detail::last_level; ++k) {
            auto& w = walkers[static_cast<std::size_t>(k)];
            while (w.place < end) {
                if (seen.add(w.place)) sink(w.place);
                if (!faults.advance(w)) w.place = last;
            }
        }
        for (int k = faults.thinned(); k < wide_end; ++k) {
            const int shift = detail::block_shift(k);
            const std::uint64_t from = begin >> shift, past = (end - 1) >> shift;
            draw_blocks(faults, words, k, from, past - from + 1, [&](std::uint64_t place) {
                if (place >= begin && place < end && seen.add(place)) sink(place);
            });
        }
    }
}

}  // namespace impl

#endif

/// The bits that draw_bits strikes at a rate up to sparse_limit, each once, in an order of no meaning; in vector registers
/// where the machine has AVX2 or AVX-512, with 32 KiB of stack. Deterministic; no heap.
template <class Sink>
void draw_unordered(const draw_key& key, double rate, std::uint64_t first, std::uint64_t last, Sink&& sink) {
#if REDOUBT_LEVEL_NUMBER >= 3
    constexpr double worth_a_table = 64.0;  // faults
    if (rate > 0.0 && rate <= sparse_limit && rate * static_cast<double>(last - first) >= worth_a_table) {
        REDOUBT_EXPECTS(first <= last && last <= std::uint64_t{1} << 62);
        return impl::draw_sparse_wide(key, rate, first, last, sink);
    }
#endif
    draw_bits(key, rate, first, last, sink);
}

/// The masks of struck bits that draw_bits finds at a rate in (sparse_limit, 1): out[i] holds bits 64 (first_word + i) and up.
/// Cost: some six vectors of Philox for 64 bits in each of their lanes. Deterministic; no heap.
class mask_draw {
public:
    mask_draw(const draw_key& key, double rate) : words_{detail::draw_words{key}} {
        REDOUBT_EXPECTS(rate > sparse_limit && rate < 1.0);  // before the conversion, which NaN and 1 have none of
        digits_ = static_cast<std::uint64_t>(rate * 0x1p64);
    }

    void operator()(std::uint64_t first_word, std::span<std::uint64_t> out) const {
#if REDOUBT_LEVEL_NUMBER >= 3
        constexpr auto lanes = static_cast<std::size_t>(impl::random_lanes);
        std::size_t i = 0;
        constexpr std::size_t together = 2;
        for (; i + together * lanes <= out.size(); i += together * lanes) {
            const auto masks = at_lanes<together>(first_word + i);
            for (std::size_t v = 0; v < together; ++v) masks[v].store_unaligned(out.data() + i + v * lanes);
        }
        for (; i < out.size(); i += lanes) {
            std::array<std::uint64_t, lanes> some;
            at_lanes<1>(first_word + i)[0].store_unaligned(some.data());
            std::copy_n(some.begin(), std::min(lanes, out.size() - i), out.begin() + static_cast<std::ptrdiff_t>(i));
        }
#else
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = struck_mask(words_, digits_, first_word + i, ~std::uint64_t{0});
#endif
    }

private:
#if REDOUBT_LEVEL_NUMBER >= 3
    /// Masks of several vectors side by side.
    template <std::size_t Vectors>
    std::array<impl::word_lanes, Vectors> at_lanes(std::uint64_t first_word) const {
        const impl::word_lanes none(std::uint64_t{0});
        std::array<impl::word_lanes, Vectors> word, open, struck;
        for (std::size_t v = 0; v < Vectors; ++v) {
            word[v] = kernel::numbers_from(first_word + v * static_cast<std::size_t>(impl::random_lanes));
            open[v] = ~none;
            struck[v] = none;
        }
        std::uint64_t rest = digits_;
        impl::word_lanes any_open = ~none;
        constexpr std::size_t ahead = 4 / Vectors;
        for (std::uint32_t index = 0; rest != 0 && (index < surely_open || kernel::has_any_bit(any_open)); index += ahead) {
            const auto planes = words_.at<Vectors, ahead>(detail::dense_level, word, index);
            for (std::size_t a = 0; a < ahead; ++a, rest <<= 2) {
                for (std::size_t v = 0; v < Vectors; ++v) {
                    compare(rest >> 63 != 0, planes[v][a].first, open[v], struck[v]);
                    compare((rest >> 62 & 1u) != 0, planes[v][a].second, open[v], struck[v]);
                }
            }
            any_open = open[0];
            for (std::size_t v = 1; v < Vectors; ++v) any_open = any_open | open[v];
        }
        return struck;
    }
    static void compare(bool digit, const impl::word_lanes& plane, impl::word_lanes& open, impl::word_lanes& struck) {
        const impl::word_lanes below = open & ~plane;
        if (digit) {
            struck = struck | below;
            open = open & plane;
        } else {
            open = below;
        }
    }
    static constexpr std::uint32_t surely_open = 4;  ///< pairs of digits, after which it pays to look whether any bit is undecided
    impl::wide_words words_;
#else
    detail::draw_words words_;
#endif
    std::uint64_t digits_ = 0;
};

}  // namespace redoubt::fault::inline REDOUBT_ABI
