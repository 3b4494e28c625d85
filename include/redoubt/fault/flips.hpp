// SPDX-License-Identifier: MIT
// Plain bit flips of stored weights at a rate, without records: as fast as the faults can be drawn.
#pragma once

#include <redoubt/fault/weights.hpp>
#include <redoubt/fault/wide_draw.hpp>

#include <cstring>

namespace redoubt::fault::inline REDOUBT_ABI {

/// A bit of a block of parameters: 8 times its byte, plus its place in the byte. Little-endian, as all supported targets are.
using bit_address = std::uint64_t;

/// Flips one bit; again, and it is back.
template <network_type Net>
void flip_bit(parameters<Net>& p, bit_address at) {
    p.bytes[static_cast<std::size_t>(at / 8)] ^= static_cast<std::byte>(1u << at % 8);
}

namespace impl {

/// Division by a number that is fixed late: exact for n below 2^64 / d.
class divider {
public:
    constexpr divider() = default;
    constexpr explicit divider(std::uint64_t d) : factor_{d == 1 ? 0 : ~std::uint64_t{0} / d + 1}, by_{d} {}
    constexpr std::uint64_t operator()(std::uint64_t n) const { return factor_ == 0 ? n : redoubt::detail::multiply(n, factor_).high; }
    constexpr std::uint64_t by() const { return by_; }

private:
    std::uint64_t factor_ = 0, by_ = 1;
};

/// Where the words of one part begin in the parameters, layer by layer.
template <network_type Net>
class part_places {
public:
    using N = typename Net::number_type;

    part_places(const fault_spec& spec, int copy)
        : range_{copy == code_bytes ? bit_range{0, 8} : spec.bits_in(part_fields<Net>(copy))}, per_word_{static_cast<std::uint64_t>(range_.count)}, codes_{copy == code_bytes} {
        std::uint64_t words = 0;
        for (int s = 0; s < Net::table.slot_count; ++s) {
            if (!spec.takes(s) || words_of<Net>(copy, s) == 0) continue;
            const auto place = parameters<Net>::place(s);
            const auto copies = static_cast<std::size_t>(extra_rows<Net>[static_cast<std::size_t>(s)].copies);
            run& r = runs_[static_cast<std::size_t>(count_++)];
            r.first = words;
            words += words_of<Net>(copy, s);
            r.last = words;
            r.geometry = &Net::table.slots[static_cast<std::size_t>(s)].geometry;
            const kernel::conv_geometry& g = *r.geometry;
            r.fan = divider{static_cast<std::uint64_t>(g.fan_in())};
            r.block_size = kernel::layout_of<N>.block_size(g);
            r.is_even = !g.is_depthwise() && g.group_in() == g.in.channels && g.group_in() % kernel::layout_of<N>.group == 0;
            if (codes_) {
                // a store's code bytes, then what a checker keeps
                r.base = place.extra + copies * place.primary_bytes;
                r.kept = place.checks + place.kept.first;
                r.codes = extra_rows<Net>[static_cast<std::size_t>(s)].code_bytes;
            }
            else if (copy == 0) r.base = place.weights;
            else r.base = place.extra + static_cast<std::size_t>(copy - 1) * place.primary_bytes + (place.weights - place.primary);
        }
    }

    /// The bit at a place of the part; quick where places come in some order.
    bit_address operator()(std::uint64_t place) {
        const std::uint64_t word = per_word_(place);
        const std::uint64_t bit = static_cast<std::uint64_t>(range_.first) + (place - word * per_word_.by());
        while (word >= runs_[at_].last) ++at_;
        while (word < runs_[at_].first) --at_;
        const run& r = runs_[at_];
        if (codes_) {
            const auto byte = static_cast<std::size_t>(word - r.first);
            return 8 * (byte < r.codes ? r.base + byte : r.kept + (byte - r.codes)) + bit;
        }
        const std::size_t index = r.index_of(word - r.first);
        return 8 * (r.base + index * sizeof(typename N::weight)) + bit;
    }

    struct run {
        std::uint64_t first = 0, last = 0;  ///< words of the part
        std::size_t base = 0;               ///< byte of the parameters
        std::size_t kept = 0, codes = 0;    ///< of code bytes: where those past the first `codes` lie
        const kernel::conv_geometry* geometry = nullptr;
        divider fan{};
        std::size_t block_size = 0;
        bool is_even = false;  ///< channels lie one after the other in a block, over all taps

        /// wide_layout::index_of_logical, where the layer is even with one division.
        std::size_t index_of(std::uint64_t logical) const {
            if (!is_even) return kernel::layout_of<N>.index_of_logical(*geometry, static_cast<std::size_t>(logical));
            constexpr std::uint64_t group = static_cast<std::uint64_t>(kernel::layout_of<N>.group), lanes = kernel::lane_count;
            const std::uint64_t out = fan(logical), rest = logical - out * fan.by();
            return static_cast<std::size_t>(out / lanes * block_size + (rest / group * lanes + out % lanes) * group + rest % group);
        }
    };
    std::span<const run> runs() const { return {runs_.data(), static_cast<std::size_t>(count_)}; }

private:
    bit_range range_;
    divider per_word_;
    bool codes_;
    int count_ = 0;
    std::size_t at_ = 0;
    std::array<run, static_cast<std::size_t>(Net::table.slot_count) + 1> runs_{};
};

/// Dense flips of one copy of the weights: masks of all bits, drawn for 16 output channels by 64 inputs at a time and laid over
/// the words where they are stored.
template <network_type Net>
void lay_masks(parameters<Net>& p, const mask_draw& draw, std::span<const typename part_places<Net>::run> runs) {
    using N = typename Net::number_type;
    using word = word_of<typename N::weight>;
    constexpr auto width = static_cast<std::uint64_t>(bits_in<word>);
    constexpr std::size_t chunk = 64;  // weights
    for (const auto& r : runs) {
        const kernel::conv_geometry& g = *r.geometry;
        const auto fan = static_cast<std::size_t>(g.fan_in());
        for (int first_out = 0; first_out < g.out.channels; first_out += kernel::lane_count) {
            const int past_out = std::min(first_out + kernel::lane_count, g.out.channels);
            for (std::size_t from = 0; from < fan; from += chunk) {
                const std::size_t count = std::min(chunk, fan - from);
                for (int out = first_out; out < past_out; ++out) {
                    const std::size_t logical = static_cast<std::size_t>(out) * fan + from;
                    const std::uint64_t first_bit = (r.first + logical) * width, past_bit = first_bit + count * width;
                    std::array<std::uint64_t, chunk * width / 64 + 1> masks;
                    draw(first_bit / 64, std::span{masks}.first(static_cast<std::size_t>((past_bit + 63) / 64 - first_bit / 64)));
                    const auto* drawn = reinterpret_cast<const std::byte*>(masks.data()) + first_bit % 64 / 8;
                    if (r.is_even) {
                        constexpr auto group = static_cast<std::size_t>(kernel::layout_of<N>.group);
                        using unit = redoubt::detail::word<static_cast<int>(group * sizeof(word))>::type;
                        std::byte* at = p.bytes.data() + r.base + r.index_of(logical) * sizeof(word);
                        for (std::size_t i = 0; i < count; i += group, at += kernel::lane_count * sizeof(unit)) {
                            unit stored, mask;
                            std::memcpy(&stored, at, sizeof(unit));
                            std::memcpy(&mask, drawn + i * sizeof(word), sizeof(unit));
                            stored = static_cast<unit>(stored ^ mask);
                            std::memcpy(at, &stored, sizeof(unit));
                        }
                    } else {
                        for (std::size_t i = 0; i < count; ++i) {
                            std::byte* const at = p.bytes.data() + r.base + r.index_of(logical + i) * sizeof(word);
                            for (std::size_t j = 0; j < sizeof(word); ++j) at[j] ^= drawn[i * sizeof(word) + j];
                        }
                    }
                }
            }
        }
    }
}

/// Flips the struck bits of one part, one by one, and hands them to log.
template <network_type Net, class Log>
void flip_part(parameters<Net>& p, std::uint64_t seed, std::uint64_t trial, const fault_spec& spec, int copy, Log& log) {
    const std::uint64_t bits = weight_bits<Net>(spec, copy);
    if (bits == 0) return;
    part_places<Net> place{spec, copy};
    // drawn some at a time, so that waiting for one word of memory does not hold up the draws
    std::array<bit_address, 256> drawn;
    std::size_t count = 0;
    const auto strike = [&] {
        const std::span<const bit_address> now{drawn.data(), count};
        for (const bit_address at : now) flip_bit(p, at);
        log(now);
        count = 0;
    };
    draw_unordered({seed, trial, space_of_part(copy), 0}, spec.rate, 0, bits, [&](std::uint64_t at) {
        const bit_address address = place(at);
        __builtin_prefetch(p.bytes.data() + address / 8, 1);
        drawn[count++] = address;
        if (count == drawn.size()) strike();
    });
    strike();
}

/// What flip_weights takes.
template <network_type Net>
void expect_plain_flips(const fault_spec& spec) {
    static_assert(!is_fast<typename Net::number_type>, "redoubt: the weights of a fast network are no fault sites");
    REDOUBT_EXPECTS(spec.strikes == target::weights && spec.count == 0);
    REDOUBT_EXPECTS(spec.model.does == effect::flip && spec.model.lies == pattern::single);
}

}  // namespace impl

/// Flips the bits of the weights, their further copies and codes that draw_weights strikes for this trial at spec.rate, and hands
/// them to log(std::span<const bit_address>), some at a time, in an order of no meaning. flip_bit with each takes all back. The
/// spec must ask for single flips at a rate, of weights; anything else breaks a precondition. Cost: bench_injection measures it.
/// Deterministic; no heap.
template <network_type Net, class Log>
void flip_weights(parameters<Net>& p, std::uint64_t seed, std::uint64_t trial, const fault_spec& spec, Log&& log) {
    impl::expect_plain_flips<Net>(spec);
    for (int copy = 0; copy <= extra_copies<Net>; ++copy) impl::flip_part(p, seed, trial, spec, copy, log);
    impl::flip_part(p, seed, trial, spec, code_bytes, log);
}

/// The same without a log. Called again it takes all back, at the cost of a second draw. Past sparse_limit, where all bits of a word
/// may be struck, masks are drawn and laid over the weights.
template <network_type Net>
void flip_weights(parameters<Net>& p, std::uint64_t seed, std::uint64_t trial, const fault_spec& spec) {
    impl::expect_plain_flips<Net>(spec);
    const bool whole_words = spec.bits == bit_class::any && spec.position < 0;
    const bool lays_masks = whole_words && spec.rate > sparse_limit && spec.rate < 1.0;
    const auto nobody = [](std::span<const bit_address>) {};
    for (int copy = 0; copy <= extra_copies<Net>; ++copy) {
        if (!lays_masks) impl::flip_part(p, seed, trial, spec, copy, nobody);
        else impl::lay_masks<Net>(p, mask_draw{{seed, trial, impl::space_of_part(copy), 0}, spec.rate}, impl::part_places<Net>{spec, copy}.runs());
    }
    impl::flip_part(p, seed, trial, spec, code_bytes, nobody);
}

}  // namespace redoubt::fault::inline REDOUBT_ABI
