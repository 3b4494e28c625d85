// SPDX-License-Identifier: MIT
// Algorithm-based fault tolerance: checksums of convolutions and linear layers, compared before what is fused to them.
#pragma once

#include <redoubt/kernel/checksum.hpp>
#include <redoubt/kernel/pixel_checksum.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <cstddef>
#include <span>

namespace redoubt::inline v1 {

/// Which sums of a layer are held against each other.
enum class checksum_side {
    inputs,    ///< each channel over all pixels: kernel/checksum.hpp
    channels,  ///< each pixel over all channels: kernel/pixel_checksum.hpp
};

/// The side that costs less on a layer, by a count of about the cycles that AVX-512 takes, and for no more than 1,024 pixels, which take 72 KiB of scratch: few
/// pixels of many channels are summed over channels.
template <number N>
constexpr checksum_side cheaper_side(const kernel::conv_geometry& g) {
    const auto vectors = [](long long words) { return (words + kernel::lane_count - 1) / kernel::lane_count; };
    const long long pixels = static_cast<long long>(g.out.height) * g.out.width;
    if (g.is_depthwise() || pixels > 1024) return checksum_side::inputs;
    const int taps = g.kernel.h * g.kernel.w, group = kernel::layout_of<N>.group;
    const long long by_inputs = vectors(static_cast<long long>(kernel::layout_of<N>.size(g))) / group * 5 +
                                8LL * g.in.height * g.in.width * vectors(g.in.channels) + (N::is_integer ? 8LL * taps * g.in.channels : 0);
    const long long products = g.kernel.h * vectors((static_cast<long long>(g.kernel.w) * g.in.channels + group - 1) / group);
    const long long by_channels = pixels * (50 + 2 * products * (N::is_integer ? kernel::filter_digits(g) : 2));
    return by_channels < by_inputs ? checksum_side::channels : checksum_side::inputs;
}

/// Chooses the side for each layer.
struct cheaper_checksum {
    template <number N>
    static constexpr checksum_side side(const kernel::conv_geometry& g) { return cheaper_side<N>(g); }
};
/// The same side for all layers; depthwise ones are always summed on the side of the inputs.
template <checksum_side Side>
struct fixed_checksum {
    template <number N>
    static constexpr checksum_side side(const kernel::conv_geometry& g) { return g.is_depthwise() ? checksum_side::inputs : Side; }
};

/// The checker of basic_abft. The side is chosen by a layer's own geometry, once: a call's may be cut to a part of it, so calls go by whether sums are kept.
template <class Choice>
struct checksum_checker {
    static constexpr bool finishes = true;

    /// Scratch, and what is kept with the parameters.
    template <number N>
    static constexpr std::size_t bytes(const kernel::conv_geometry& g) {
        return by_channels<N>(g) ? kernel::pixel_sums_plan::of<N>(g).bytes : kernel::checksum_plan::of<N>(g).bytes;
    }
    template <number N>
    static constexpr kept_place kept(const kernel::conv_geometry& g) {
        if (!by_channels<N>(g)) return {};
        const auto plan = kernel::filter_sums_plan::of<N>(g);
        return {plan.bytes, plan.bias, plan.end};
    }
    template <number N, class Weight>
    static void encode(const kernel::conv_geometry& g, Weight&& weight, std::span<const typename N::bias> biases, std::span<std::byte> kept) {
        if (by_channels<N>(g)) kernel::sum_filters<N>(g, weight, biases, kept.data());
    }

    template <number N>
    static void begin(const kernel::conv_call<N>& call, std::span<const std::byte> kept, std::byte* scratch) {
        if (!kept.empty()) pixels_of(call, kept, scratch).begin();
        else over(call, scratch).begin(call.in);
    }
    template <number N, class Hook, class Kernel, class Touch>
    static void compute(const kernel::conv_call<N>& call, const Hook& hook, Kernel&& kernel, std::span<const std::byte> kept, std::byte* scratch,
                        Touch&& touch, fault_counters& count) {
        if (!kept.empty()) return kernel(call, pixels_of(call, kept, scratch).hook(hook));
        std::uint32_t detected = 0, uncorrected = 0;
        over(call, scratch).compute(call, hook, kernel, touch, detected, uncorrected);
        count.add_found(detected, uncorrected);
    }
    template <number N, class Touch, class Again>
    static void finish(const kernel::conv_call<N>& call, std::span<const std::byte> kept, std::byte* scratch, Touch&& touch, Again&& again,
                       fault_counters& count) {
        if (kept.empty()) return;
        std::uint32_t detected = 0, uncorrected = 0;
        pixels_of(call, kept, scratch).finish(call.in, touch, again, detected, uncorrected);
        count.add_found(detected, uncorrected);
    }

private:
    template <number N>
    static constexpr bool by_channels(const kernel::conv_geometry& g) { return Choice::template side<N>(g) == checksum_side::channels; }
    template <number N>
    static kernel::checked_convolution<N> over(const kernel::conv_call<N>& call, std::byte* scratch) {
        return {call.geometry, kernel::checksum_plan::of<N>(call.geometry), scratch};
    }
    template <number N>
    static kernel::pixel_checksum<N> pixels_of(const kernel::conv_call<N>& call, std::span<const std::byte> kept, std::byte* scratch) {
        return {call.geometry, kept.data(), scratch};
    }
};

/// abft with another choice of sides.
template <class Choice, class... Layers>
struct basic_abft : protection<Layers...> {
    template <class... New> using around = basic_abft<Choice, New...>;
    using checker = checksum_checker<Choice>;
};

/// Faults of computation in convolutions and linear layers, found by checksums: where a layer has few channels, of each output channel over all
/// pixels, put right by computing the 16 channels of a wrong one again (kernel/checksum.hpp); else of each pixel over all output channels,
/// put right by computing the row of a wrong one again (kernel/pixel_checksum.hpp). cheaper_side() says which. Counters count such blocks and rows.
/// It sees accumulators: faults of the residual add, the activation, rounding to storage and of stored activations come later. Faults of weights
/// are in both sums of the first kind; in the second they are found where they are large, and count as uncorrected.
///
/// int8: every wrong accumulator is found unless several cancel modulo 2^32; there is no threshold and no false alarm. Floats:
/// differences beyond the worst case of rounding are found, NaN and infinity too, so there is no false alarm either; what is smaller passes.
/// Same bits as without it. Cost: of the first kind one pass over the input and two more multiply-adds for each weight, of the second two more channels;
/// one addition for each output. Worst case: each block once more, or each row, for which the layer's blocks are gone through again for each 64 rows, with all
/// that a store or transform does to them. No Winograd on its layers. encode() sums up the filters; a sum that is struck in memory changes no answer and
/// is reported at each inference until encode() is called again, but for floats where it stays within the bound or is a sum of magnitudes that widens it.
template <class... Layers>
struct abft : basic_abft<cheaper_checksum, Layers...> {};

}  // namespace redoubt::inline v1
