// SPDX-License-Identifier: MIT
// Duplicate-and-correct: some output channels of a convolution are computed twice, from two copies of their filters, and corrected in registers
// (Ahmadilivani, Raik, Daneshtalab, Jenihhin, "Cost-effective fault tolerance for CNNs using parameter vulnerability based hardening and pruning",
// IOLTS 2024, arXiv 2405.10658). The correction by intervals follows public descriptions of the paper, whose own text of it we have not seen.
#pragma once

#include <redoubt/harden/rule.hpp>
#include <redoubt/kernel/duplicate.hpp>
#include <redoubt/nn/channel_ranges.hpp>
#include <redoubt/nn/layers.hpp>
#include <redoubt/nn/status.hpp>

#include <cstddef>

namespace redoubt::inline v1 {

using kernel::correction;

/// The first `Channels` output channels of each layer, rounded up to whole blocks of 16 (those come free: a vector has 16 lanes), twice, and corrected
/// by Form. Which channels come first is data: permute them by vulnerability (nn/permute.hpp). Layers with groups or less than 16 channels
/// are refused.
///
/// By intervals, a layer whose copies both lie in their channel's interval gives its own bits; set_intervals() sets them from training images, and
/// until then all outputs are 0. Counters: copies that differ are detected; corrected where exactly one was in its interval, else uncorrected;
/// outputs outside without a copy, or with one that agrees, count as out of range. It covers faults of weights, biases (copies have their own)
/// and of accumulators, in duplicated channels by comparison, in all by intervals; not what comes after.
/// Cost: k / out of the layer's multiply-adds and parameters, and a comparison of each output in registers.
template <int Channels, correction Form, class... Layers>
struct basic_duplicate : protection<Layers...> {
    static_assert(Channels > 0, "redoubt: duplicate at least one channel");
    static constexpr int duplicated = Channels;
    static constexpr int copies = kernel::copies_for(Form);
    static constexpr bool has_intervals = Form != correction::minimum;
    template <class... New> using around = basic_duplicate<Channels, Form, New...>;

    struct checker {
        template <number N>
        static constexpr std::size_t bytes(const kernel::conv_geometry&) { return 0; }
        template <number N>
        static void begin(const kernel::conv_call<N>&, std::span<const std::byte>, std::byte*) {}

        template <number N, class Hook, class Kernel, class Touch>
        static void compute(const kernel::conv_call<N>& call, const Hook& hook, const Kernel&, std::span<const std::byte>, std::byte*, Touch&&,
                            fault_counters& count) {
            const kernel::correction_tally seen = kernel::duplicated_conv2d<N, Form>(call, kernel::in_other_lanes<Kernel::rotation>(hook));
            count.add_found(seen.different, seen.guessed);
            count.out_of_range += seen.outside;
        }
    };
};

/// Duplication corrected by intervals.
template <int Channels, class... Layers>
struct duplicate : basic_duplicate<Channels, correction::intervals, Layers...> {
    template <class... New> using around = duplicate<Channels, New...>;
};

/// Duplication where the smaller of two copies is taken, without data.
template <int Channels, class... Layers>
struct duplicate_minimum : basic_duplicate<Channels, correction::minimum, Layers...> {
    template <class... New> using around = duplicate_minimum<Channels, New...>;
};

/// Three copies and a vote, outputs without copies by intervals: what duplication is compared with. The paper's own definition is not known; this is
/// a reconstruction. Cost: twice that of duplicate. Two copies that agree correct; where no two do, the median is taken and counts as uncorrected.
template <int Channels, class... Layers>
struct triplicate : basic_duplicate<Channels, correction::vote, Layers...> {
    template <class... New> using around = triplicate<Channels, New...>;
};

/// A rule for harden<>: Percent of the output channels of each convolution without groups that has 16 or more, rounded down, at least one.
template <int Percent, template <int, class...> class Duplicate = duplicate>
struct duplicate_share {
    static_assert(Percent > 0 && Percent <= 100);
    template <class L> struct rule { using type = pack<L>; };
    template <conv_spec S>
        requires(S.groups == 1 && S.out >= kernel::lane_count)
    struct rule<conv2d<S>> {
        using type = pack<Duplicate<S.out * Percent / 100 < 1 ? 1 : S.out * Percent / 100, conv2d<S>>>;
    };
    template <class L> using apply = typename rule<L>::type;
};

/// A rule for harden<>: that many channels of each convolution and linear layer, by its number in reading order; 0, or no number, for none. A tool
/// writes such a plan as a header: `inline constexpr std::array<int, 3> channels{16, 0, 32};`.
template <auto Counts, template <int, class...> class Duplicate = duplicate>
struct duplicate_counts {
    static constexpr int of(int slot) { return slot < static_cast<int>(Counts.size()) ? Counts[static_cast<std::size_t>(slot)] : 0; }
    template <int Channels, class L> struct rule { using type = pack<Duplicate<Channels, L>>; };
    template <class L> struct rule<0, L> { using type = pack<L>; };
    template <class Net, int S, class L>
    using apply_in = typename rule<is_weighted<L>::value ? of(S) : 0, L>::type;
};

}  // namespace redoubt::inline v1
